#include "agent/command_check.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ranges>

#include "base/os/file.h"
#include "base/text.h"

namespace granary::agent {
namespace {

using base::Code;
using base::Result;

constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";
// The kernel reads no more of a script's first line.
constexpr std::size_t kFirstLine = 256;
// What is not known before the silo runs, since the app itself may put it there.
constexpr std::array<std::string_view, 4> kUnknown = {"/data/", "/tmp/", "/var/tmp/", "/run/"};
// Folders of a silo that are this machine's; the last ones are links into /usr.
constexpr std::array<std::string_view, 5> kOfMachine = {"/usr/", "/bin/", "/sbin/", "/lib/",
                                                        "/lib64/"};

template <class Names>
bool begins_with_one(std::string_view text, const Names& beginnings) {
  return std::ranges::any_of(beginnings,
                             [&](std::string_view one) { return text.starts_with(one); });
}

// What cannot be looked at is not there.
std::error_code& ignored() {
  thread_local std::error_code error;
  return error;
}

class Check final {
 public:
  Check(const wire::ServiceSpec& service, const std::string& release, const std::string& machine)
      : service_(service), release_(release), machine_(machine) {
    const auto own = service.env.find("PATH");
    path_ = own == service.env.end() ? std::string(kPath) : own->second;
  }

  Result<void> run() const {
    TRY_ASSIGN(const std::string program, find(service_.command.front(), "the command"));
    if (program.empty()) return {};
    return interpreter(program);
  }

 private:
  // Where it lies on this machine; empty where that is not known yet.
  Result<std::string> find(const std::string& name, std::string_view what) const {
    if (name.find('/') != std::string::npos)
      return file(name.starts_with('/') ? name : "/app/" + name, name, what);
    for (const auto part : std::views::split(std::string_view(path_), ':')) {
      const std::string folder(part.begin(), part.end());
      const std::string place = (folder.empty() ? "/app" : folder) + "/" + name;
      if (begins_with_one(place, kUnknown)) return std::string();
      if (const std::string on_machine = on_this_machine(place); is_program(on_machine)) {
        TRY(check_inside(place, on_machine));
        return on_machine;
      }
    }
    return refuse(fmt::format("{} was not found: {} is in no folder of PATH ({})", what,
                              base::quote(name), path_));
  }

  // `place`: in the silo.
  Result<std::string> file(const std::string& place, const std::string& name,
                           std::string_view what) const {
    if (begins_with_one(place, kUnknown)) return std::string();
    const std::string on_machine = on_this_machine(place);
    if (on_machine.empty())
      return refuse(fmt::format("{} was not found: a silo has no {}", what, base::quote(name)));
    if (!std::filesystem::is_regular_file(on_machine, ignored()))
      return refuse(fmt::format("{} was not found: there is no file {}", what, base::quote(name)));
    if (!is_program(on_machine))
      return refuse(
          fmt::format("{} cannot be executed: run chmod +x on {}", what, base::quote(name)));
    TRY(check_inside(place, on_machine));
    return on_machine;
  }

  std::string on_this_machine(const std::string& place) const {
    if (place.starts_with("/app/")) return release_ + place.substr(4);
    return begins_with_one(place, kOfMachine) ? machine_ + place : std::string();
  }

  static bool is_program(const std::string& path) {
    if (path.empty() || !std::filesystem::is_regular_file(path, ignored())) return false;
    const auto mode = std::filesystem::status(path, ignored()).permissions();
    return (mode & std::filesystem::perms::others_exec) != std::filesystem::perms::none;
  }

  // A link in /usr may lead to where no silo has anything: /usr/local/bin/node to /opt/node.
  Result<void> check_inside(const std::string& place, const std::string& on_machine) const {
    std::error_code error;
    const std::string real = std::filesystem::canonical(on_machine, error).string();
    const std::string top = place.starts_with("/app/") ? release_ : machine_;
    const std::string tree = std::filesystem::canonical(top.empty() ? "/" : top, error).string();
    if (error) return {};
    const bool whole = tree == "/";
    if (!whole && !real.starts_with(tree + "/")) return leads_out(place, real);
    const std::string inside = whole ? real : real.substr(tree.size());
    if (place.starts_with("/app/") || begins_with_one(inside, kOfMachine)) return {};
    return leads_out(place, inside);
  }

  base::Failure leads_out(const std::string& place, const std::string& real) const {
    return refuse(fmt::format("{} is a link to {}, which a silo does not have", base::quote(place),
                              base::quote(real)));
  }

  // #! and, behind env, the program that it looks for.
  Result<void> interpreter(const std::string& program) const {
    const auto file = base::os::open_file(program, O_RDONLY, 0);
    const auto begin = file ? base::os::read_at(file->get(), 0, kFirstLine) : "";
    if (!begin || !begin->starts_with("#!")) return {};
    std::vector<std::string> words;
    const std::size_t end = std::min(begin->find('\n'), begin->size());
    const std::string_view line = std::string_view(*begin).substr(2, end - 2);
    if (line.ends_with('\r'))
      return refuse(fmt::format("{} has Windows line ends, with which its interpreter is not found",
                                base::quote(service_.command.front())));
    for (const auto part : std::views::split(line, ' ')) {
      std::string word(part.begin(), part.end());
      std::erase_if(word, [](char c) { return c == '\t'; });
      if (!word.empty()) words.push_back(std::move(word));
    }
    if (words.empty()) return {};
    TRY(find(words.front(),
             fmt::format("the interpreter of {}", base::quote(service_.command.front()))));
    if (!words.front().ends_with("/env")) return {};
    const auto named =
        std::ranges::find_if(words.begin() + 1, words.end(), [](const std::string& word) {
          return !word.starts_with('-') && word.find('=') == std::string::npos;
        });
    if (named == words.end()) return {};
    TRY(find(*named, fmt::format("the interpreter of {}", base::quote(service_.command.front()))));
    return {};
  }

  base::Failure refuse(const std::string& why) const {
    return base::fail_with_advice(
        Code::InvalidArgument, fmt::format("service {}: {}", service_.name, why),
        "Install it on this machine, whose /usr silos see; or put it into the release, and name it "
        "with a slash in granary.yaml: ./bin/run");
  }

  const wire::ServiceSpec& service_;
  const std::string& release_;
  const std::string& machine_;
  std::string path_;
};

}  // namespace

Result<void> check_command(const wire::ServiceSpec& service, const std::string& release,
                           const std::string& machine) {
  if (service.command.empty()) return {};
  return Check(service, release, machine).run();
}

}  // namespace granary::agent
