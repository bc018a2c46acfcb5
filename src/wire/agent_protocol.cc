#include "wire/agent_protocol.h"

#include <array>

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::json::object;

struct VerbName {
  Verb verb;
  std::string_view text;
};

constexpr std::array kVerbs = {
    VerbName{Verb::Activate, "activate"}, VerbName{Verb::Apply, "apply"},
    VerbName{Verb::Remove, "remove"},     VerbName{Verb::Report, "report"},
    VerbName{Verb::List, "list"},         VerbName{Verb::Unpack, "unpack"},
    VerbName{Verb::Forget, "forget"},     VerbName{Verb::Logs, "logs"},
    VerbName{Verb::Export, "export"},     VerbName{Verb::Import, "import"},
    VerbName{Verb::Sleep, "sleep"},       VerbName{Verb::Fault, "fault"},
    VerbName{Verb::Ping, "ping"},
};

}  // namespace

std::string encode_frame(const object& document) {
  const std::string body = base::json::print(document);
  std::string frame(kFrameHead, '\0');
  for (std::size_t i = 0; i < kFrameHead; ++i)
    frame[i] = static_cast<char>((body.size() >> (8 * i)) & 0xff);
  return frame + body;
}

Result<std::size_t> decode_head(std::string_view head) {
  if (head.size() != kFrameHead)
    return base::fail(Code::InvalidArgument, "a frame's head has {} bytes", kFrameHead);
  std::size_t length = 0;
  for (std::size_t i = kFrameHead; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(head[i]);
  if (length == 0) return base::fail(Code::InvalidArgument, "the frame is empty");
  if (length > kMaxFrame)
    return base::fail(Code::Exhausted, "the frame has {} bytes, more than {}", length, kMaxFrame);
  return length;
}

Result<object> decode_body(std::string_view body) {
  return base::json::parse_object(body, kMaxFrame);
}

std::string_view to_string(Verb verb) {
  for (const VerbName& name : kVerbs) {
    if (name.verb == verb) return name.text;
  }
  return "";
}

Result<Verb> verb_from(std::string_view text) {
  for (const VerbName& name : kVerbs) {
    if (name.text == text) return name.verb;
  }
  return base::fail(Code::NotSupported, "the agent knows no such verb");
}

bool may_use(Peer peer, Verb verb) {
  switch (peer) {
    case Peer::Control:
      return true;
    case Peer::Gateway:
      return verb == Verb::Activate || verb == Verb::Fault || verb == Verb::Ping;
    case Peer::Other:
      return false;
  }
  return false;
}

std::string encode_request(const Request& request) {
  object document = request.arguments;
  document["id"] = request.id;
  document["verb"] = to_string(request.verb);
  return encode_frame(document);
}

Result<Request> decode_request(object document) {
  Request request;
  TRY_ASSIGN(request.id, base::json::get_int(document, "id"));
  TRY_ASSIGN(const std::string verb, base::json::get_string(document, "verb"));
  TRY_ASSIGN(request.verb, verb_from(verb));
  document.erase("id");
  document.erase("verb");
  request.arguments = std::move(document);
  return request;
}

std::string encode_answer(std::int64_t id, const AgentResult<object>& answer) {
  object document;
  document["id"] = id;
  if (answer) {
    document["result"] = *answer;
  } else {
    object error = base::json::from_error(answer.error().error);
    if (answer.error().retry_after_ms > 0) error["retry_after_ms"] = answer.error().retry_after_ms;
    document["error"] = std::move(error);
  }
  return encode_frame(document);
}

Result<Answer> decode_answer(const object& document) {
  Answer answer;
  TRY_ASSIGN(answer.id, base::json::get_int(document, "id"));
  if (const object* error = base::json::find_object(document, "error")) {
    AgentError failed;
    failed.error = base::json::to_error(*error);
    TRY_ASSIGN(failed.retry_after_ms, base::json::get_int_or(*error, "retry_after_ms", 0));
    answer.result = std::unexpected(std::move(failed));
  } else if (const object* result = base::json::find_object(document, "result")) {
    answer.result = *result;
  } else {
    return base::fail(Code::InvalidArgument, "the answer has neither a result nor an error");
  }
  return answer;
}

}  // namespace granary::wire
