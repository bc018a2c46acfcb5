// What the parsers of request and response heads share over Beast's: counting what a head may hold
// in all, and no say in bodies. Included by the two parsers' sources alone, since it is heavy.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string_view>

#include "gateway/heads.h"
#include "gateway/limits.h"

namespace granary::gateway {

namespace http = boost::beast::http;

template <bool IsRequest>
class BeastParser : public http::basic_parser<IsRequest> {
 public:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;

  BeastParser() {
    this->body_limit(boost::none);  // bodies are streamed: the exchange bounds them
    this->header_limit(kHeadBytes);
  }

  // Feeds the head. The bytes are counted over all calls, since Beast's limit is for one.
  Parsed feed_head(std::string_view bytes) {
    Error error;
    const std::size_t used = this->put({bytes.data(), bytes.size()}, error);
    head_bytes_ += used;
    const bool unfinished = error == http::error::need_more;
    too_long_ = error == http::error::header_limit || head_bytes_ > kHeadBytes ||
                (unfinished && head_bytes_ + (bytes.size() - used) >= kHeadBytes);
    error_ = error;
    if (too_long_) error_ = http::error::header_limit;
    if (too_long_ || (error && !unfinished)) return {Progress::Bad, used};
    if (unfinished && has_bare_line(bytes.substr(used))) {
      error_ = http::error::bad_line_ending;
      return {Progress::Bad, used};
    }
    return {unfinished ? Progress::NeedMore : Progress::Done, used};
  }
  // Whether that is why the head was bad.
  bool too_long() const { return too_long_; }
  // Why it was bad.
  const Error& error() const { return error_; }

  // A line ends with a line feed alone. Beast waits for a whole head before it looks at any of it,
  // and one with such lines may never end for it.
  static bool has_bare_line(std::string_view bytes) {
    for (std::size_t at = bytes.find('\n'); at != std::string_view::npos;
         at = bytes.find('\n', at + 1))
      if (at == 0 || bytes[at - 1] != '\r') return true;
    return false;
  }

 protected:
  virtual void take_field(http::field field, std::string_view name, std::string_view value,
                          Error& error) = 0;
  virtual void end_head(Error& error) = 0;

  // Whether the value stands on the line of its name. If not, it was folded, which Beast undoes.
  static bool on_one_line(std::string_view name, std::string_view value) {
    const char* at = name.data() + name.size() + 1;
    while (*at == ' ' || *at == '\t') ++at;
    return at == value.data();
  }

  static std::string_view view(View text) { return {text.data(), text.size()}; }

 private:
  // Each parser has one of these; Beast's interface has both.
  void on_request_impl(http::verb /*verb*/, View /*method*/, View /*target*/, int /*version*/,
                       Error& /*error*/) override {}
  void on_response_impl(int /*status*/, View /*reason*/, int /*version*/,
                        Error& /*error*/) override {}
  void on_field_impl(http::field field, View name, View value, Error& error) final {
    if (++fields_ > kFields) {
      error = http::error::header_limit;
      return;
    }
    take_field(field, view(name), view(value), error);
  }
  void on_header_impl(Error& error) final { end_head(error); }
  // Bodies are not fed to it (body_reader.h).
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Error& /*error*/) final {
  }
  std::size_t on_body_impl(View body, Error& /*error*/) final { return body.size(); }
  void on_chunk_header_impl(std::uint64_t /*size*/, View /*ext*/, Error& /*error*/) final {}
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, View body, Error& /*error*/) final {
    return body.size();
  }
  void on_finish_impl(Error& /*error*/) final {}

  Error error_;
  std::size_t head_bytes_ = 0;
  std::size_t fields_ = 0;
  bool too_long_ = false;
};

}  // namespace granary::gateway
