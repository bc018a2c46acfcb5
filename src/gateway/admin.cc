#include "gateway/admin.h"

#include <fmt/format.h>

#include <iterator>

#include "gateway/answers.h"

namespace granary::gateway {
namespace {

void metric(std::string& into, std::string_view name, std::string_view type, std::string_view help,
            std::uint64_t value) {
  fmt::format_to(std::back_inserter(into), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help,
                 type, value);
}

std::string_view to_string(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::UnknownName:
      return "unknown_name";
    case TlsFailure::Version:
      return "version";
    case TlsFailure::PlainHttp:
      return "plain_http";
    case TlsFailure::Client:
      return "client";
    case TlsFailure::Other:
      return "other";
  }
  return {};
}

void add_tls(std::string& text, const Core& core) {
  const Counters& counters = core.counters;
  const CertificateSet& certificates = *core.https.tls->certificates();
  const auto end = std::chrono::floor<std::chrono::seconds>(certificates.earliest_end());
  metric(text, "granary_gateway_tls_handshakes_total", "counter", "TLS handshakes begun.",
         counters.handshakes);
  constexpr std::string_view kFailures = "granary_gateway_tls_handshake_failures_total";
  fmt::format_to(std::back_inserter(text),
                 "# HELP {0} TLS handshakes that came to nothing, by reason.\n"
                 "# TYPE {0} counter\n{0}{{reason=\"deadline\"}} {1}\n",
                 kFailures, counters.handshakes_expired);
  for (std::size_t at = 0; at < kTlsFailures; ++at)
    fmt::format_to(std::back_inserter(text), "{}{{reason=\"{}\"}} {}\n", kFailures,
                   to_string(static_cast<TlsFailure>(at)), counters.handshakes_failed[at]);
  metric(text, "granary_gateway_certificates", "gauge", "Certificates in force.",
         certificates.size());
  metric(text, "granary_gateway_certificates_bad", "gauge",
         "Pairs of files of which the newest cannot be used; the log says why.",
         certificates.problems());
  metric(text, "granary_gateway_certificate_expires_seconds", "gauge",
         "When the first certificate in force expires, since 1970.",
         static_cast<std::uint64_t>(end.time_since_epoch().count()));
}

std::string metrics(const Core& core) {
  const Counters& counters = core.counters;
  std::string text;
  metric(text, "granary_gateway_connections_total", "counter", "Connections taken.",
         counters.connections);
  metric(text, "granary_gateway_connections_refused_total", "counter",
         "Connections closed at once, over the bound.", counters.connections_refused);
  if (core.https.tls != nullptr) add_tls(text, core);
  metric(text, "granary_gateway_over_share_total", "counter",
         "Requests refused since their tenant's clients hold all its connections.",
         counters.over_share);
  metric(text, "granary_gateway_requests_total", "counter", "Requests begun.", counters.requests);
  metric(text, "granary_gateway_wakes_held_total", "counter",
         "Requests that waited for a service to be activated.", counters.wakes_held);
  metric(text, "granary_gateway_app_faults_total", "counter",
         "Requests that failed because of the app; its log says why.", core.faults.noted());
  metric(text, "granary_gateway_access_lines_dropped_total", "counter",
         "Lines of access logs that the disk was too slow for.", core.log.dropped());
  metric(text, "granary_gateway_pooled_connections", "gauge", "Idle connections to silos.",
         core.upstreams.pooled());
  metric(text, "granary_gateway_routing_generation", "gauge", "Of the snapshot in force.",
         core.index ? core.index->snapshot().generation : 0);
  metric(text, "granary_gateway_agent_connected", "gauge", "1 while the agent is reached.",
         core.agent.connected() ? 1 : 0);
  text +=
      "# HELP granary_gateway_answers_total Answers by class of status.\n"
      "# TYPE granary_gateway_answers_total counter\n";
  for (int digit = 1; digit <= 5; ++digit)
    fmt::format_to(std::back_inserter(text), "granary_gateway_answers_total{{class=\"{}xx\"}} {}\n",
                   digit, counters.answers[digit]);
  return text;
}

// Why it is not ready; empty: it is.
std::string_view unready(const Core& core) {
  if (core.draining) return "stopping";
  if (!core.index) return "no routing snapshot yet";
  const bool away =
      !core.agent.connected() && core.sweeper.now() - core.agent.away_since() > kAgentGrace;
  if (away) return "the agent cannot be reached: services that are asleep are not started";
  if (core.agent.silent(core.sweeper.now()))
    return "the agent does not answer: services that are asleep are not started";
  return {};
}

}  // namespace

AdminAnswer answer_admin(const Core& core, std::string_view path) {
  if (path == "/healthz") return {200, "ok\n"};
  if (path == "/readyz") {
    const std::string_view reason = unready(core);
    if (reason.empty()) return {200, "ready\n"};
    return {503, fmt::format("{}\n", reason)};
  }
  if (path == "/metrics") return {200, metrics(core)};
  return {404, plain_body(404)};
}

Coro<void> serve_admin(const Core& core, Sweeper& sweeper, TcpSocket socket) {
  ClientStream stream(sweeper, std::move(socket));
  Kit kit;
  kit.request_parser.start(kit.request);
  std::string inbox;
  Parsed parsed;
  ErrorCode error;
  while (parsed.progress == Progress::NeedMore) {
    char bytes[2048];
    const std::size_t got = co_await stream.read_some(asio::buffer(bytes), kWholeHead, error);
    if (error) co_return;
    inbox.append(bytes, got);
    parsed = kit.request_parser.head(inbox);
    inbox.erase(0, parsed.consumed);
  }
  AdminAnswer answer{parsed.status, {}};
  if (parsed.progress == Progress::Done) answer = answer_admin(core, kit.request.path());
  const std::string out = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      answer.status, reason_phrase(answer.status), answer.body.size(), answer.body);
  kit.to_client.add(out);
  if (!stream.write_now(kit.to_client, error))
    co_await stream.write_rest(kit.to_client, kWriteStall, error);
}

}  // namespace granary::gateway
