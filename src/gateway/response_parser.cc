#include "gateway/response_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "gateway/beast_parser.h"

namespace granary::gateway {
namespace {

class Parser final : public BeastParser<false> {
 public:
  Parser(ResponseHead& head, Method method, std::string_view domain)
      : head_(head), domain_(domain), to_head_(method == Method::Head) {
    skip(to_head_);
  }

 private:
  void on_response_impl(int status, View reason, int version, Error& error) override {
    if (status < 100 || status > 599) {
      error = http::error::bad_status;
      return;
    }
    status_ = status;
    version_11_ = version == 11;
    fmt::format_to(std::back_inserter(head_.text), "HTTP/1.1 {} {}\r\n", status, view(reason));
  }

  void take_field(http::field field, std::string_view name, std::string_view value,
                  Error& error) override {
    switch (field) {
      case http::field::transfer_encoding:
        if (!on_one_line(name, value)) {
          error = http::error::bad_obs_fold;
          return;
        }
        // A coding that the gateway does not know would be taken for the body itself.
        if (!version_11_ || !equal_ignoring_case(value, "chunked"))
          error = http::error::bad_transfer_encoding;
        return;
      case http::field::content_length:
        // Two readers may disagree on where the body of such an answer ends; other fields are sent
        // on with a space for the fold, as RFC 9112, 5.2, has it.
        if (!on_one_line(name, value)) {
          error = http::error::bad_obs_fold;
          return;
        }
        // Beast takes equal ones, and a list of them.
        if (length_seen_ ||
            !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
          error = http::error::bad_content_length;
        length_seen_ = true;
        return;
      case http::field::connection:
        if (!nominated_.add(value, may_go_downstream)) error = http::error::bad_value;
        return;
      case http::field::set_cookie:
        if (is_cookie_of_all(value, domain_)) return;
        break;
      case http::field::upgrade:
        head_.upgrade.assign(value);
        return;
      default:
        break;
    }
    if (may_go_downstream(name)) head_.text.append(name).append(": ").append(value).append("\r\n");
  }

  // The status becomes known here alone: who reads a head in pieces tells by it that it is whole.
  void end_head(Error& /*error*/) override {
    head_.status = status_;
    nominated_.remove_from(head_.text);
    head_.has_length = content_length().has_value();
    if (head_.has_length) head_.length = *content_length();
    head_.keep_alive = keep_alive();
    if (head_.status < 200 || head_.status == 204) head_.has_length = false;
    if (to_head_ || head_.status < 200 || head_.status == 204 || head_.status == 304) return;
    head_.framing = Framing::UntilClose;
    if (head_.has_length) head_.framing = Framing::Length;
    if (chunked()) head_.framing = Framing::Chunked;
  }

  ResponseHead& head_;
  std::string_view domain_;
  Nominated nominated_;
  int status_ = 0;
  bool to_head_;
  bool length_seen_ = false;
  bool version_11_ = true;
};

}  // namespace

namespace {

struct Rule {
  http::error broken;
  std::string_view text;
};
constexpr std::array kRules = {
    Rule{http::error::bad_version, "its first line does not begin with HTTP/1.1 or HTTP/1.0"},
    Rule{http::error::bad_status, "its status is no number from 100 to 599"},
    Rule{http::error::bad_reason, "the text behind its status has a byte that is not allowed"},
    Rule{http::error::bad_line_ending, "a line of its head does not end with CR LF"},
    Rule{http::error::bad_field, "a field's name is empty, or has a byte that is not allowed"},
    Rule{http::error::bad_value, "a field's value has a byte that is not allowed"},
    Rule{http::error::bad_obs_fold, "a field that frames its body stands on two lines"},
    Rule{http::error::bad_content_length, "Content-Length is no plain number, or stands twice"},
    Rule{http::error::multiple_content_length, "Content-Length stands twice"},
    Rule{http::error::bad_transfer_encoding,
         "Transfer-Encoding is not `chunked` alone, or stands beside a Content-Length"},
    Rule{http::error::header_limit, "its head has more than 32 KiB, or more than 100 fields"},
};
static_assert(kHeadBytes == 32U << 10 && kFields == 100);

}  // namespace

struct ResponseParser::State {
  std::optional<Parser> parser;
  bool bare_line = false;
};

ResponseParser::ResponseParser() : state_(std::make_unique<State>()) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::start(ResponseHead& head, Method method, std::string_view domain) {
  head.clear();
  state_->parser.emplace(head, method, domain);
  state_->bare_line = false;
}

std::string_view ResponseParser::fault() const {
  // Most likely of an app that writes heads by hand, whatever the parser makes of it.
  if (state_->bare_line) return "a line of its head does not end with CR LF";
  const auto& error = state_->parser->error();
  for (const Rule& rule : kRules)
    if (error == rule.broken) return rule.text;
  return "its head is no HTTP";
}

Parsed ResponseParser::head(std::string_view bytes) {
  if (bytes.empty()) return {};
  const Parsed parsed = state_->parser->feed_head(bytes);
  if (parsed.progress == Progress::Bad) state_->bare_line = Parser::has_bare_line(bytes);
  return parsed;
}

}  // namespace granary::gateway
