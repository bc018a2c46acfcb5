#include "base/signature.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"

namespace granary::base {
namespace {

constexpr std::size_t kLargestFile = 16U << 10;
constexpr std::size_t kSignature = 64;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;
using Bio = std::unique_ptr<BIO, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

Bio bio_over(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_ed25519(const Key& key) { return key && EVP_PKEY_is_a(key.get(), "ED25519") == 1; }

// What is signed: the type too, and both lengths, so that nothing can be shifted between them.
std::string authenticated(std::string_view type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

bool verify(const Key& key, std::string_view message, std::string_view signature) {
  const Context context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

Result<std::string> make_key(const std::string& path) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  ASSERT(key != nullptr);
  const Bio bio(BIO_new(BIO_s_mem()));
  ASSERT(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr) == 1);
  std::string pem = text_of(bio);
  TRY(os::replace_file(path, pem, 0600, os::Durability::Synced));
  return pem;
}

}  // namespace

struct SigningKey::State {
  Key key;
};

SigningKey::SigningKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SigningKey::~SigningKey() = default;

Result<std::unique_ptr<SigningKey>> SigningKey::open(const std::string& path,
                                                     IfMissing if_missing) {
  auto pem = os::read_file(path, kLargestFile);
  if (!pem && pem.error().code == Code::NotFound && if_missing == IfMissing::Refuse)
    return fail_with_advice(
        Code::DataLoss,
        fmt::format("{} is lost, and documents exist that were signed with it", path),
        fmt::format("Restore it from a backup, or make a new one with openssl genpkey -algorithm "
                    "ed25519 -out {}: what was signed before is checked with the old public key",
                    path));
  if (!pem && pem.error().code == Code::NotFound) pem = make_key(path);
  if (!pem) return std::unexpected(pem.error());
  const Bio bio = bio_over(*pem);
  auto state = std::make_unique<State>();
  state->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!is_ed25519(state->key))
    return fail_with_advice(Code::DataLoss, path + " holds no Ed25519 key",
                            "Restore it from a backup, or remove it: a new one is made then, and "
                            "what was signed before is checked with the old public key");
  return std::unique_ptr<SigningKey>(new SigningKey(std::move(state)));
}

std::string SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new());
  std::string signature(kSignature, '\0');
  std::size_t length = signature.size();
  ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1);
  ASSERT(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                        bytes_of(message), message.size()) == 1);
  return signature;
}

std::string SigningKey::public_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  ASSERT(PEM_write_bio_PUBKEY(bio.get(), state_->key.get()) == 1);
  return text_of(bio);
}

std::string SigningKey::id() const { return sha256_hex(public_pem()); }

json::object seal(const SigningKey& key, const std::string& payload_type,
                  const std::string& payload) {
  json::object signature;
  signature["keyid"] = key.id();
  signature["sig"] = to_base64(key.sign(authenticated(payload_type, payload)));
  json::object envelope;
  envelope["payloadType"] = payload_type;
  envelope["payload"] = to_base64(payload);
  envelope["signatures"] = json::array{signature};
  envelope["publicKey"] = key.public_pem();
  return envelope;
}

Result<std::string> unseal(const json::object& envelope, const std::string& public_pem) {
  TRY_ASSIGN(const std::string type, json::get_string(envelope, "payloadType"));
  TRY_ASSIGN(const std::string encoded, json::get_string(envelope, "payload"));
  TRY_ASSIGN(std::string payload, from_base64(encoded));
  const auto* signatures = envelope.if_contains("signatures");
  if (signatures == nullptr || !signatures->is_array() || signatures->get_array().empty() ||
      !signatures->get_array().front().is_object())
    return fail(Code::InvalidArgument, "member 'signatures' must be a list of objects");
  TRY_ASSIGN(const std::string text,
             json::get_string(signatures->get_array().front().get_object(), "sig"));
  TRY_ASSIGN(const std::string signature, from_base64(text));
  const Bio bio = bio_over(public_pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (!is_ed25519(key)) return fail(Code::InvalidArgument, "the public key is no Ed25519 key");
  if (!verify(key, authenticated(type, payload), signature))
    return fail(Code::Refused, "the signature is not of this key, or the document was changed");
  return payload;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return fail(Code::InvalidArgument, "this is no base64");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length) -
               std::min<std::size_t>(padding, static_cast<std::size_t>(length)));
  return bytes;
}

}  // namespace granary::base
