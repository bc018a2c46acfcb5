#include "wire/testing/fuzz_targets.h"

#include <algorithm>

#include "base/check.h"
#include "wire/account_state.h"
#include "wire/activity_board.h"
#include "wire/agent_protocol.h"
#include "wire/frontend_index.h"
#include "wire/routing.h"

namespace granary::wire::testing {
namespace {

using base::json::object;

std::string_view view(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A refusal says what is wrong, for a log: no endless text, nothing that forges another line.
template <class T>
void check_refusal(const base::Result<T>& refused) {
  const std::string& message = refused.error().message;
  ASSERT(!message.empty());
  ASSERT(refused.error().code == base::Code::InvalidArgument ||
         refused.error().code == base::Code::NotSupported ||
         refused.error().code == base::Code::Exhausted);
}

// No document of the protocol has any; and Boost.JSON 1.81 does not write each of them as it was
// read
// ("0E741" even as NaN).
bool has_fractions(const base::json::value& document) {
  if (const auto* list = document.if_array()) return std::ranges::any_of(*list, has_fractions);
  if (const auto* members = document.if_object())
    return std::ranges::any_of(*members,
                               [](const auto& one) { return has_fractions(one.value()); });
  return document.is_double();
}

void check_request(const object& document) {
  const auto request = decode_request(document);
  if (!request) return check_refusal(request);
  ASSERT(!may_use(Peer::Other, request->verb));
  ASSERT(may_use(Peer::Control, request->verb));
  ASSERT(verb_from(to_string(request->verb)).value() == request->verb);
  const std::string frame = encode_request(*request);
  const auto again =
      decode_request(decode_body(std::string_view(frame).substr(kFrameHead)).value());
  ASSERT(again && again->id == request->id && again->verb == request->verb);
  ASSERT(again->arguments == request->arguments);
}

void check_answer(const object& document) {
  const auto answer = decode_answer(document);
  if (!answer) return check_refusal(answer);
  const std::string frame = encode_answer(answer->id, answer->result);
  const auto again = decode_answer(decode_body(std::string_view(frame).substr(kFrameHead)).value());
  ASSERT(again && again->id == answer->id &&
         again->result.has_value() == answer->result.has_value());
  if (answer->result) {
    ASSERT(*again->result == *answer->result);
  } else {
    ASSERT(again->result.error().error.code == answer->result.error().error.code);
    ASSERT(again->result.error().error.message == answer->result.error().error.message);
  }
}

// A document that is taken is written back to one that means the same.
template <class Decode>
void check_document(const object& from, Decode decode) {
  const auto decoded = decode(from);
  if (!decoded) return check_refusal(decoded);
  const auto again = decode(to_json(*decoded));
  ASSERT(again && *again == *decoded);
}

void check_body(std::string_view body) {
  const auto document = decode_body(body);
  if (!document) return check_refusal(document);
  if (has_fractions(*document)) return;
  check_request(*document);
  check_answer(*document);
  const object* spec = base::json::find_object(*document, "spec");
  check_document(spec == nullptr ? *document : *spec, account_spec_from);
  const object* result = base::json::find_object(*document, "result");
  check_document(result == nullptr ? *document : *result, account_report_from);
}

}  // namespace

Verdict fuzz_snapshot(std::span<const std::uint8_t> bytes) {
  const auto snapshot = decode_snapshot(view(bytes));
  if (!snapshot) {
    check_refusal(snapshot);
    return Verdict::Refused;
  }
  for (const RoutedTenant& tenant : snapshot->tenants) {
    ASSERT(tenant.release < snapshot->releases.size());
    ASSERT(tenant.slots.size() == snapshot->releases[tenant.release].services.size());
    for (const std::uint32_t slot : tenant.slots) ASSERT(slot < ActivityBoard::kSlots);
    // It becomes a part of paths and of hosts.
    ASSERT(tenant.account.value.find_first_of("./\\") == std::string::npos);
  }
  const std::string text = encode(*snapshot);
  const auto again = decode_snapshot(text);
  ASSERT(again && *again == *snapshot && encode(*again) == text);
  return Verdict::Taken;
}

Verdict fuzz_frontend_index(std::span<const std::uint8_t> bytes) {
  const auto index = decode_frontend_index(view(bytes));
  if (!index) {
    check_refusal(index);
    return Verdict::Refused;
  }
  for (const auto& [path, asset] : index->assets) {
    ASSERT(path.starts_with('/'));
    for (const std::string_view blob : {asset.blob, asset.brotli, asset.gzip})
      ASSERT(blob.find_first_of("/.") == std::string::npos);  // they become names of files
  }
  ASSERT(index->fallback.empty() || index->assets.contains(index->fallback));
  const auto again = decode_frontend_index(encode(*index));
  ASSERT(again && *again == *index);
  return Verdict::Taken;
}

Verdict fuzz_agent_protocol(std::span<const std::uint8_t> bytes) {
  std::string_view text = view(bytes);
  check_body(text);
  Verdict verdict = Verdict::Refused;
  while (text.size() >= kFrameHead) {
    const auto length = decode_head(text.substr(0, kFrameHead));
    if (!length) {
      check_refusal(length);
      break;
    }
    text.remove_prefix(kFrameHead);
    if (*length > text.size()) break;
    check_body(text.substr(0, *length));
    text.remove_prefix(*length);
    verdict = Verdict::Taken;
  }
  return verdict;
}

}  // namespace granary::wire::testing
