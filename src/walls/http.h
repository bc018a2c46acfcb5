// As much HTTP/1.1 as the gateway speaks to a silo: one request of a known length on a connection,
// one answer, closed. Blocking; not for clients that mean harm, there is a gateway before it.
#pragma once

#include <string>
#include <string_view>

namespace granary::walls {

struct Request {
  std::string method;
  std::string path;   // without the query
  std::string query;  // what follows '?'
  std::string body;
};

// False when the connection ended or what came was no request.
bool read_request(int connection, Request& into);
void send_answer(int connection, int status, std::string_view kind, std::string_view body);
void send_raw(int connection, std::string_view bytes);
// The value of `name=value` in a query; "" where it is missing.
std::string parameter(std::string_view query, std::string_view name);

}  // namespace granary::walls
