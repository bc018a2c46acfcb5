#include "walls/http.h"

#include <sys/socket.h>
#include <unistd.h>

#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr std::size_t kLargestHead = 32 << 10;
constexpr std::size_t kLargestBody = 4 << 20;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool receive(int connection, std::string& into) {
  char buffer[16 << 10];
  const ssize_t count = ::read(connection, buffer, sizeof buffer);
  if (count <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(count));
  return true;
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

std::size_t length_of_body(std::string_view head) {
  for (const std::string& line : lines_of(head)) {
    if (!lower(line).starts_with("content-length:")) continue;
    const std::vector<std::string> words = words_of(line.substr(line.find(':') + 1));
    std::string digits = words.empty() ? "" : words[0];
    while (!digits.empty() && digits.back() == '\r') digits.pop_back();
    const long length = number_of(digits);
    return length > 0 ? static_cast<std::size_t>(length) : 0;
  }
  return 0;
}

}  // namespace

bool read_request(int connection, Request& into) {
  std::string text;
  std::size_t end = 0;
  while ((end = text.find(kHeadEnd)) == std::string::npos) {
    if (text.size() > kLargestHead || !receive(connection, text)) return false;
  }
  const std::string head = text.substr(0, end);
  into.body = text.substr(end + kHeadEnd.size());
  const std::vector<std::string> words = words_of(head.substr(0, head.find('\r')));
  const std::size_t length = length_of_body(head);
  if (words.size() != 3 || length > kLargestBody) return false;
  while (into.body.size() < length) {
    if (!receive(connection, into.body)) return false;
  }
  into.method = words[0];
  const std::size_t question = words[1].find('?');
  into.path = words[1].substr(0, question);
  if (question != std::string::npos) into.query = words[1].substr(question + 1);
  return true;
}

void send_raw(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void send_answer(int connection, int status, std::string_view kind, std::string_view body) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " Refused") +
                     "\r\nContent-Type: ";
  text += kind;
  text += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  text += body;
  send_raw(connection, text);
}

std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
      return std::string(part.substr(name.size() + 1));
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return "";
}

}  // namespace granary::walls
