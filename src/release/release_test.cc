#include "release/release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "wire/bundle.h"
#include "wire/frontend_index.h"
#include "wire/testing/bundle_builder.h"

namespace granary::release {
namespace {

using base::Code;
using base::os::exists;
using base::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using wire::testing::BundleBuilder;

constexpr std::string_view kManifest =
    "app: shop\n"
    "services:\n"
    "  api: {command: [./run], routes: [/api/]}\n"
    "frontend: {root: web, fallback: index.html}\n";

class ReleaseTest : public ::testing::Test {
 protected:
  ReleaseTest() {
    EXPECT_TRUE(base::os::make_folders(data_ / "bundles", 0755).has_value());
    EXPECT_TRUE(base::os::make_folders(data_ / "frontends", 0755).has_value());
  }
  ReleaseOptions options(std::string name = "") const {
    return {.bundles = data_ / "bundles",
            .frontends = data_ / "frontends",
            .work = data_ / "work",
            .name = std::move(name),
            .limits = {}};
  }
  static void write_app(const TemporaryFolder& folder) {
    folder.write("granary.yaml", kManifest);
    folder.write("run", "#!/bin/sh\n", 0755);
    folder.write("web/index.html", "<!doctype html>");
  }
  base::Error refusal(const std::string& bundle) {
    data_.write("upload", bundle);
    auto created = create_release_from_bundle(data_ / "upload", options());
    EXPECT_FALSE(created.has_value());
    expect_nothing_in_place();
    return created ? base::Error{} : created.error();
  }
  base::Error folder_refusal() {
    auto created = create_release(app_.path(), options());
    EXPECT_FALSE(created.has_value());
    expect_nothing_in_place();
    return created ? base::Error{} : created.error();
  }
  void expect_nothing_in_place() const {
    EXPECT_FALSE(exists(data_ / "work"));
    EXPECT_TRUE(base::os::list_folder(data_ / "bundles")->empty());
    EXPECT_TRUE(base::os::list_folder(data_ / "frontends")->empty());
  }

  TemporaryFolder app_;
  TemporaryFolder data_;
};

TEST_F(ReleaseTest, AFolderBecomesABundleAndAFrontend) {
  write_app(app_);
  const auto created = create_release(app_.path(), options());
  ASSERT_TRUE(created.has_value()) << base::describe(created.error());
  EXPECT_EQ(created->id.str(), "shop-" + created->hash.substr(0, 12));
  EXPECT_EQ(created->manifest.app, "shop");
  EXPECT_EQ(created->files, 3U);
  EXPECT_FALSE(exists(data_ / "work"));

  const std::string bundle = data_ / "bundles/" + created->hash + ".tar.zst";
  ASSERT_TRUE(wire::unpack(bundle, data_ / "unpacked", created->hash, {}).has_value());
  EXPECT_EQ(*base::os::read_file(data_ / "unpacked/run", 100), "#!/bin/sh\n");
  const std::string index = data_ / "frontends/" + created->hash + "/index.json";
  EXPECT_EQ(wire::decode_frontend_index(*base::os::read_file(index, 10'000))->fallback,
            "/index.html");
}

TEST_F(ReleaseTest, TheSameFolderTwiceIsTheSameRelease) {
  write_app(app_);
  TemporaryFolder copy;
  write_app(copy);
  copy.write("__pycache__/x.pyc", "left out");
  const auto one = create_release(app_.path(), options());
  const auto two = create_release(copy.path(), options());
  ASSERT_TRUE(one.has_value() && two.has_value());
  EXPECT_EQ(*one, *two);
  EXPECT_EQ(base::os::list_folder(data_ / "bundles")->size(), 1U);
  EXPECT_EQ(base::os::list_folder(data_ / "frontends")->size(), 1U);
}

TEST_F(ReleaseTest, TheUploadOfAnotherTarIsTheSameReleaseAsTheFolder) {
  write_app(app_);
  const auto from_folder = create_release(app_.path(), options());
  BundleBuilder other(BundleBuilder::Format::Pax);
  other.folder("web", 0700).file("web/index.html", "<!doctype html>", 0600);
  other.file("run", "#!/bin/sh\n", 0700).file("granary.yaml", kManifest);
  data_.write("upload", other.bundle());
  const auto from_upload = create_release_from_bundle(data_ / "upload", options());
  ASSERT_TRUE(from_folder.has_value() && from_upload.has_value());
  EXPECT_EQ(*from_folder, *from_upload);
}

TEST_F(ReleaseTest, WhatTheClientPacksKeepsItsHashOnTheServer) {
  write_app(app_);
  app_.write("node_modules/m.js", "");
  app_.write("m.pyc", "");
  const auto packed = wire::pack(app_.path(), data_ / "upload", {});
  const auto created = create_release_from_bundle(data_ / "upload", options());
  ASSERT_TRUE(packed.has_value() && created.has_value());
  EXPECT_EQ(packed->bundle.hash, created->hash);
  EXPECT_EQ(created->files, 4U);
}

TEST_F(ReleaseTest, ANameGivenIsTheReleasesId) {
  write_app(app_);
  EXPECT_EQ(create_release(app_.path(), options("shop-1.4.2"))->id.str(), "shop-1.4.2");
}

TEST_F(ReleaseTest, NamesAreHeldToTheirAlphabet) {
  for (const char* name : {"1.0", "v2", "shop-2026.01.31", "a", "a_b"})
    EXPECT_TRUE(parse_release_name(name).has_value()) << name;
  const std::vector<std::string> bad = {"",
                                        "..",
                                        ".",
                                        "-a",
                                        "a-",
                                        "a..b",
                                        "A",
                                        "a/b",
                                        "a b",
                                        "a\n",
                                        "\xc3\xa9",
                                        std::string(64, 'a'),
                                        std::string(300, 'a')};
  for (const std::string& name : bad)
    EXPECT_EQ(parse_release_name(name).error().code, Code::InvalidArgument) << name;
}

TEST_F(ReleaseTest, ABadNameIsRefusedBeforeAnyWork) {
  EXPECT_THAT(create_release("/nowhere", options("Bad")).error().message,
              HasSubstr("not a valid name"));
}

TEST_F(ReleaseTest, AnAppWithoutAManifestIsRefused) {
  app_.write("main.py", "");
  const base::Error error = folder_refusal();
  EXPECT_EQ(error.code, Code::InvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("granary.yaml is missing"));
  ASSERT_EQ(::symlink("main.py", (app_ / "granary.yaml").c_str()), 0);
  EXPECT_EQ(folder_refusal().code, Code::Refused);
}

TEST_F(ReleaseTest, AnErrorInTheManifestNamesItsPlace) {
  write_app(app_);
  app_.write("granary.yaml", "app: shop\nservices:\n  api: {comand: [x]}\n");
  EXPECT_EQ(folder_refusal().message, "granary.yaml:3:9: services.api.comand is not a known key");
}

TEST_F(ReleaseTest, WhatTheManifestNamesMustBeInTheFolder) {
  write_app(app_);
  ASSERT_TRUE(base::os::remove_tree(app_ / "web").has_value());
  EXPECT_THAT(folder_refusal().message,
              StartsWith("granary.yaml:4:18: frontend.root: 'web' is not a folder of the release"));
  app_.write("web/other.html", "");
  EXPECT_THAT(
      folder_refusal().message,
      StartsWith(
          "granary.yaml:4:33: frontend.fallback: 'web/index.html' is not a file of the release"));
  app_.write("web/index.html", "");
  app_.write("run", "", 0644);
  EXPECT_THAT(folder_refusal().message, HasSubstr("services.api.command: 'run' is not executable"));
  ASSERT_TRUE(base::os::remove_file(app_ / "run").has_value());
  EXPECT_THAT(folder_refusal().message,
              HasSubstr("services.api.command: 'run' is not a file of the release"));
}

TEST_F(ReleaseTest, HostileUploadsLeaveNothingBehind) {
  EXPECT_EQ(refusal("").code, Code::InvalidArgument);
  EXPECT_EQ(refusal(std::string(1000, '\0')).code, Code::InvalidArgument);
  EXPECT_EQ(refusal(BundleBuilder().bundle()).code, Code::InvalidArgument);
  EXPECT_EQ(
      refusal(BundleBuilder().file("granary.yaml", kManifest).link("l", "/etc").bundle()).code,
      Code::InvalidArgument);
  EXPECT_EQ(refusal(BundleBuilder().file("../granary.yaml", kManifest).bundle()).code,
            Code::InvalidArgument);
  EXPECT_EQ(refusal(BundleBuilder().file("granary.yaml", kManifest).device("null").bundle()).code,
            Code::InvalidArgument);
}

TEST_F(ReleaseTest, WhatAKilledCallLeftInPlaceIsCompleted) {
  write_app(app_);
  const auto created = create_release(app_.path(), options());
  ASSERT_TRUE(created.has_value());
  // Killed between the two steps of putting in place: the frontend is there, the bundle is not.
  const std::string bundle = data_ / "bundles/" + created->hash + ".tar.zst";
  ASSERT_TRUE(base::os::remove_file(bundle).has_value());
  EXPECT_EQ(create_release(app_.path(), options()), created);
  EXPECT_TRUE(exists(bundle));
}

TEST_F(ReleaseTest, AWorkFolderInUseIsNotTouched) {
  write_app(app_);
  data_.write("work/mine", "keep");
  EXPECT_EQ(create_release(app_.path(), options()).error().code, Code::AlreadyExists);
  EXPECT_TRUE(exists(data_ / "work/mine"));
}

TEST_F(ReleaseTest, TheExamplesAreReleases) {
  for (const char* example : {"insight", "port-only"}) {
    const auto created = create_release(std::string("examples/") + example, options());
    ASSERT_TRUE(created.has_value()) << example << ": " << base::describe(created.error());
    EXPECT_THAT(created->id.str(), StartsWith(std::string(example) + "-"));
  }
}

}  // namespace
}  // namespace granary::release
