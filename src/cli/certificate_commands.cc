#include "api/wire/archive_documents.h"
#include "base/os/file.h"
#include "base/signature.h"
#include "cli/commands.h"
#include "cli/text.h"

// granary certificate ...: what was destroyed, and whether the paper is genuine.
namespace granary::cli {

using api_wire::CertificateDocument;
using api_wire::CertificateList;
using api_wire::SigningKeyList;
using base::Code;
using base::Result;

namespace {

constexpr std::size_t kMaxKeyBytes = 16U << 10;

struct ShowOptions {
  std::string operation;
  std::string key_file;  // empty: the key that the installation has now
  bool verify = false;
};

Result<void> list_certificates(Session& session, const std::string& tenant) {
  TRY_ASSIGN(const auto list, session.api().get_all<CertificateList>(
                                  path_of({"v1", "certificates"}), {{"tenant", tenant}}));
  session.show(list, [&] {
    Table table({"CERTIFICATE", "TENANT", "AGE"});
    for (const CertificateDocument& certificate : list.items)
      table.add(
          {certificate.operation, certificate.tenant, age(certificate.created, session.now())});
    return table.text();
  });
  return {};
}

// A key, and where it is from, for people.
struct Key {
  std::string pem;
  std::string from;
};

// One that a person kept goes before what the platform says; the key inside of the certificate
// itself proves no more than that nobody changed it without signing it anew.
Result<Key> find_key(Session& session, const ShowOptions& options,
                     const base::json::object& envelope) {
  if (!options.key_file.empty()) {
    TRY_ASSIGN(std::string pem, base::os::read_file(options.key_file, kMaxKeyBytes));
    return Key{std::move(pem), "the key in " + options.key_file};
  }
  const auto keys = session.api().get<SigningKeyList>(path_of({"v1", "signing-keys"}));
  if (keys && !keys->items.empty())
    return Key{keys->items.front().public_key,
               fmt::format("this installation's key ({})", keys->items.front().id)};
  const auto embedded = base::json::get_string(envelope, "publicKey");
  if (!embedded)
    return base::fail(Code::InvalidArgument, "the certificate holds no key, and none was given");
  return Key{*embedded,
             "the key inside of the certificate alone: keep the installation's key "
             "elsewhere and give it with --key"};
}

// The certificate's text without its signature; not to be trusted before that is checked.
Result<base::json::object> text_of(const base::json::object& envelope) {
  TRY_ASSIGN(const std::string payload, base::json::get_string(envelope, "payload"));
  TRY_ASSIGN(const std::string bytes, base::from_base64(payload));
  return base::json::parse_object(bytes, kMaxAnswerBytes);
}

Result<void> show_certificate(Session& session, const ShowOptions& options) {
  TRY_ASSIGN(const auto certificate, session.api().get<CertificateDocument>(
                                         path_of({"v1", "certificates", options.operation})));
  if (!certificate.envelope)
    return base::fail(Code::DataLoss, "the API gave a certificate without its envelope");
  const base::json::object& envelope = *certificate.envelope;
  if (options.verify || !options.key_file.empty()) {
    TRY_ASSIGN(const Key key, find_key(session, options, envelope));
    const auto genuine = base::unseal(envelope, key.pem);
    if (!genuine) return base::annotate(genuine.error(), "checking it against " + key.from);
    session.tell("the signature holds, checked against " + key.from);
  }
  TRY_ASSIGN(const base::json::object text, text_of(envelope));
  session.show(certificate, [&] { return outline(text); });
  return {};
}

}  // namespace

void add_certificate_commands(CLI::App& program, Commands& commands) {
  CLI::App* noun = add_noun(program, "certificate", "signed certificates of what was destroyed");
  CLI::App* list = add_verb(*noun, "list", "certificates, newest first");
  const auto tenant = std::make_shared<std::string>();
  list->add_option("--tenant", *tenant, "only of this");
  commands.on(list, [tenant](Session& session) { return list_certificates(session, *tenant); });
  CLI::App* show = add_verb(*noun, "show", "one certificate; with -o json its signed envelope");
  const auto options = std::make_shared<ShowOptions>();
  show->add_option("OPERATION", options->operation, "the offboarding that it is of")->required();
  show->add_flag("--verify", options->verify, "check its signature");
  show->add_option("--key", options->key_file,
                   "against this public key (PEM), not the one that the platform has now");
  commands.on(show, [options](Session& session) { return show_certificate(session, *options); });
}

}  // namespace granary::cli
