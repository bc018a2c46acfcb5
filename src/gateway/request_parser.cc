#include "gateway/request_parser.h"

#include <algorithm>
#include <optional>

#include "gateway/beast_parser.h"

namespace granary::gateway {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

// The methods that there are look like this. "head" is another one than HEAD, but not to apps that
// change its case; and then the two sides disagree on whether its answer has a body.
bool is_method(std::string_view name) {
  return name.size() <= kMethodBytes && std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

// Beast takes bytes above 127 for text; in a target they belong percent-encoded (RFC 9112, 3.2).
bool is_target_char(char c) { return c > ' ' && c < 0x7f && c != '#'; }

// "http://host/path?query" -> the parts. False when it is none.
bool split_absolute(std::string_view target, std::string_view& authority, std::string_view& rest) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return false;
  const std::string_view after = target.substr(colon + 3);
  const std::size_t end = std::min(after.find_first_of("/?"), after.size());
  authority = after.substr(0, end);
  rest = after.substr(end);
  return true;
}

class Parser final : public BeastParser<true> {
 public:
  explicit Parser(RequestHead& head) : head_(head) {}

  int status() const { return status_; }
  bool line_seen() const { return line_seen_; }

 private:
  void refuse(int status, Error& error) {
    status_ = status;
    error = http::error::bad_value;
  }

  void on_request_impl(http::verb verb, View method, View target, int version,
                       Error& error) override {
    line_seen_ = true;
    if (target.size() > kTargetBytes) return refuse(414, error);
    if (!is_method(view(method))) return refuse(400, error);
    if (verb == http::verb::connect || verb == http::verb::trace) return refuse(405, error);
    std::string_view origin = view(target);
    if (!std::ranges::all_of(origin, is_target_char)) return refuse(400, error);
    std::string_view authority;
    const bool absolute = !origin.starts_with('/');
    if (absolute && !split_absolute(origin, authority, origin)) return refuse(400, error);
    absolute_.assign(authority);
    set_line(verb, view(method), origin);
    head_.version_11 = version == 11;
    is_absolute_ = absolute;
  }

  void set_line(http::verb verb, std::string_view method, std::string_view origin) {
    const std::string_view root = origin.starts_with('/') ? "" : "/";
    head_.text.append(method).append(" ").append(root).append(origin).append(" HTTP/1.1\r\n");
    head_.method_size = static_cast<std::uint32_t>(method.size());
    head_.target_size = static_cast<std::uint32_t>(root.size() + origin.size());
    const bool safe =
        verb == http::verb::get || verb == http::verb::head || verb == http::verb::options;
    head_.idempotent = safe || verb == http::verb::put || verb == http::verb::delete_;
    if (verb == http::verb::get) head_.method = Method::Get;
    if (verb == http::verb::head) head_.method = Method::Head;
  }

  void take_field(http::field field, std::string_view name, std::string_view value,
                  Error& error) override {
    if (!on_one_line(name, value)) return refuse(400, error);
    switch (field) {
      case http::field::host:
        return take_host(value, error);
      case http::field::content_length:
        return take_length(value, error);
      case http::field::transfer_encoding:
        if (!head_.version_11 || !equal_ignoring_case(value, "chunked")) return refuse(400, error);
        head_.framing = Framing::Chunked;
        return;
      case http::field::connection:
        if (!nominated_.add(value, may_go_upstream)) return refuse(400, error);
        return;
      case http::field::upgrade:
        if (!upgrade_.empty()) return refuse(400, error);
        upgrade_.assign(value);
        return;
      case http::field::expect:
        if (!equal_ignoring_case(value, "100-continue")) return refuse(417, error);
        head_.expects_continue = head_.version_11;
        return;
      default:  // Beast's enum of some 350 names; all others are alike here
        if (may_go_upstream(name)) add_field(name, value);
    }
  }

  void add_field(std::string_view name, std::string_view value) {
    head_.text.append(name).append(": ").append(value).append("\r\n");
  }

  void take_host(std::string_view value, Error& error) {
    if (host_seen_ || !parse_authority(value, head_.host)) return refuse(400, error);
    host_seen_ = true;
    head_.authority.assign(value);
    add_field("Host", value);
  }

  void take_length(std::string_view value, Error& error) {
    const bool plain =
        !value.empty() && value.size() <= 18 && std::ranges::all_of(value, is_decimal);
    if (!plain || head_.framing != Framing::None) return refuse(400, error);
    head_.framing = Framing::Length;
    for (const char c : value) head_.length = head_.length * 10 + static_cast<unsigned>(c - '0');
  }

  void end_head(Error& error) override {
    if (!host_seen_) return refuse(400, error);
    if (is_absolute_ && !equal_ignoring_case(absolute_, head_.authority)) return refuse(400, error);
    nominated_.remove_from(head_.text);
    head_.keep_alive = keep_alive();
    // HTTP/2 in clear text would leave the gateway blind: nobody is offered that.
    const bool wanted = this->upgrade() && !equal_ignoring_case(upgrade_, "h2c");
    if (wanted && !head_.has_body() && head_.version_11 && plain_protocol())
      head_.upgrade = upgrade_;
  }

  // "websocket", not a list and nothing odd: it is repeated to the silo.
  bool plain_protocol() const {
    return !upgrade_.empty() && upgrade_.size() < 64 &&
           std::ranges::all_of(upgrade_, [](char c) { return c > ' ' && c < 0x7f && c != ','; });
  }
  RequestHead& head_;
  std::string absolute_;
  std::string upgrade_;
  Nominated nominated_;
  int status_ = 400;
  bool line_seen_ = false;
  bool is_absolute_ = false;
  bool host_seen_ = false;
};

}  // namespace

struct RequestParser::State {
  std::optional<Parser> parser;
  bool begun = false;
};

namespace {

// One empty line before a request is forgiven (RFC 9112, 2.2): old clients send it behind a body.
constexpr std::string_view kEmptyLine = "\r\n";

}  // namespace

RequestParser::RequestParser() : state_(std::make_unique<State>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::start(RequestHead& head) {
  head.clear();
  state_->parser.emplace(head);
  state_->begun = false;
}

Parsed RequestParser::head(std::string_view bytes) {
  Parser& parser = *state_->parser;
  std::size_t skipped = 0;
  if (!state_->begun) {
    if (kEmptyLine.starts_with(bytes) && bytes != kEmptyLine) return {};
    state_->begun = true;
    if (bytes.starts_with(kEmptyLine)) skipped = kEmptyLine.size();
  }
  bytes.remove_prefix(skipped);
  if (bytes.empty()) return {Progress::NeedMore, skipped};
  Parsed parsed = parser.feed_head(bytes);
  parsed.consumed += skipped;
  if (parsed.progress != Progress::Bad) return parsed;
  parsed.status = parser.status();
  if (parser.too_long()) parsed.status = parser.line_seen() ? 431 : 414;
  return parsed;
}

}  // namespace granary::gateway
