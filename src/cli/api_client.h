// The API as typed calls: documents in, documents out, problems as errors. Blocking;
// single-threaded.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/wire/codec.h"
#include "cli/http_client.h"
#include "cli/limits.h"

namespace granary::cli {

// A path with its parts encoded: path("v1", "tenants", "acme") is /v1/tenants/acme.
std::string path_of(const std::vector<std::string>& parts);
using Query = std::vector<std::pair<std::string, std::string>>;
// With the parameters that are not empty.
std::string with_query(std::string path, const Query& query);

// Where the API is, and what lets the caller in.
struct Access {
  Address address;
  std::string secret;    // empty: none is known
  base::Error why_none;  // then: why not; it comes up when the API asks for one
};

class ApiClient final {
 public:
  explicit ApiClient(Access access);

  // Errors: those of the API, and HttpClient::send's.
  template <class Document>
  base::Result<Document> get(const std::string& target) {
    return call<Document>({.method = http::verb::get, .target = target});
  }
  template <class Document, class Body>
  base::Result<Document> send(http::verb method, const std::string& target, const Body& body) {
    return call<Document>(
        {.method = method, .target = target, .body = base::json::print(api_wire::to_json(body))});
  }
  template <class Document>
  base::Result<Document> post(const std::string& target) {
    return call<Document>({.method = http::verb::post, .target = target});
  }
  template <class Document>
  base::Result<Document> upload(const std::string& target, const std::string& file) {
    return call<Document>(
        {.method = http::verb::post, .target = target, .file = file, .time = kUploadTime});
  }
  struct Transfer {
    std::function<base::Result<void>(std::string_view piece)> sink;  // of what is fetched
    std::function<void(std::uint64_t bytes, std::uint64_t of)> progress;
  };
  template <class Document>
  base::Result<Document> upload_archive(const std::string& target, const std::string& file,
                                        Transfer transfer) {
    return call<Document>({.method = http::verb::post,
                           .target = target,
                           .file = file,
                           .file_type = "application/x-tar",
                           .time = kArchiveTime,
                           .progress = std::move(transfer.progress)});
  }
  base::Result<void> fetch(const std::string& target, Transfer transfer);
  // What answers nothing, and what answers with a document.
  base::Result<void> remove(const std::string& target);
  template <class Document>
  base::Result<Document> remove(const std::string& target) {
    return call<Document>({.method = http::verb::delete_, .target = target});
  }
  // All pages of a list. Errors: Internal for a list that never ends.
  template <class List>
  base::Result<List> get_all(const std::string& path, Query query) {
    List all;
    query.emplace_back("limit", "1000");
    query.emplace_back("after", "");
    for (int page = 0; page < kMaxPages; ++page) {
      TRY_ASSIGN(List next, get<List>(with_query(path, query)));
      for (auto& item : next.items) all.items.push_back(std::move(item));
      if (!next.next) return all;
      query.back().second = *next.next;
    }
    return base::fail(base::Code::Internal, "the list has more than {} pages", kMaxPages);
  }

  // Whether control is able to serve, which it says at once. Errors: Unavailable, Deadline
  // (kHealthTime).
  base::Result<void> check_answers();
  HttpClient& http() { return http_; }

 private:
  base::Result<base::json::value> exchange(HttpRequest request);
  base::Error refusal(const HttpReply& reply) const;
  template <class Document>
  base::Result<Document> call(HttpRequest request) {
    TRY_ASSIGN(const base::json::value answer, exchange(std::move(request)));
    auto document = api_wire::from_json<Document>(answer, api_wire::Unknown::Ignore);
    if (!document) return base::annotate(document.error(), "reading the API's answer");
    return document;
  }

  Access access_;
  HttpClient http_;
};

}  // namespace granary::cli
