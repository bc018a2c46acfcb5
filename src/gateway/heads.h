// The heads of messages as the gateway understood them: what it decides by, and the text that goes
// on, in which hop-by-hop fields and all that only the gateway may say are left out already. Value
// types, reused from request to request so that their strings keep their memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/host.h"

namespace granary::gateway {

// How a body ends.
enum class Framing { None, Length, Chunked, UntilClose };

enum class Method { Get, Head, Other };

// What one look at the bytes of a head came to.
enum class Progress { NeedMore, Done, Bad };
struct Parsed {
  Progress progress = Progress::NeedMore;
  std::size_t consumed = 0;
  int status = 0;  // for Bad, of a request: what to answer
};

struct RequestHead {
  // "GET /x HTTP/1.1", then the fields, each line with its end; without the empty line.
  std::string text;
  std::uint32_t method_size = 0;
  std::uint32_t target_size = 0;
  Authority host;
  std::string authority;  // the host as the client wrote it
  Method method = Method::Other;
  bool idempotent = false;  // RFC 9110, 9.2.2: may be sent again
  bool version_11 = true;   // or 1.0
  bool keep_alive = true;   // as far as the client is concerned
  bool expects_continue = false;
  std::string upgrade;  // the protocol asked for; empty: none
  Framing framing = Framing::None;
  std::uint64_t length = 0;  // for Framing::Length

  std::string_view method_name() const { return std::string_view(text).substr(0, method_size); }
  // In origin form: path and query.
  std::string_view target() const {
    return std::string_view(text).substr(method_size + 1, target_size);
  }
  std::string_view path() const { return target().substr(0, target().find('?')); }
  bool has_body() const { return framing == Framing::Chunked || length > 0; }
  void clear();
};

struct ResponseHead {
  std::string text;         // "HTTP/1.1 200 OK" and the fields, as above
  int status = 0;           // 0: the head is not complete
  bool keep_alive = false;  // as far as the silo is concerned
  std::string upgrade;
  Framing framing = Framing::None;  // of the body that follows, if one does
  bool has_length = false;          // also where there is no body: HEAD, 304
  std::uint64_t length = 0;
  void clear();
};

// The value of the first field with this name in a head's text, without the spaces around it;
// empty where there is none.
std::string_view find_field(std::string_view head_text, std::string_view name);
// Leaves out all fields with this name.
void remove_field(std::string& head_text, std::string_view name);

// Whether an app may be told this by a client: names of letters, digits and hyphens, so that no
// second spelling of a name means the same to it (CGI and WSGI take - and _ for one), and none that
// only the gateway may say: of this hop, of the platform, or who the client is, under any name that
// frameworks ask for it.
bool may_go_upstream(std::string_view name);
// Whether a client may be told this by an app.
bool may_go_downstream(std::string_view name);
// The fields that a sender names in Connection: they are for the next hop alone (RFC 9110, 7.6.1),
// wherever in the head they stand.
class Nominated final {
 public:
  // False when they are too many: nobody names more than a few. What never goes on (`may_go`) does
  // not count.
  [[nodiscard]] bool add(std::string_view connection, bool (*may_go)(std::string_view name));
  void remove_from(std::string& head_text) const;

 private:
  std::vector<std::string> names_;
};
// Whether browsers would send the cookie of this Set-Cookie to all tenants below `domain`.
bool is_cookie_of_all(std::string_view set_cookie, std::string_view domain);

}  // namespace granary::gateway
