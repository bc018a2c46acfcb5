// Entry points for fuzzing what reads bytes of clients and of silos. Each *_fuzz.cc beside this is
// the libFuzzer program of one; the unit tests feed them damaged samples. They assert what must
// hold whatever the bytes are, where they can against a second, naive reading of the same bytes.
#pragma once

#include <cstdint>
#include <span>

namespace granary::gateway::testing {

enum class Verdict { Taken, Refused, More };

// A Host and, on the next line, a target. A tenant is returned only if the very host was asked for,
// a service only by the longest of its release's routes that covers the path; a file of a frontend
// only by its own path.
Verdict fuzz_host_route(std::span<const std::uint8_t> bytes);

// How to cut the bytes, then a request. Cutting changes nothing; what is taken ends at the first
// empty line, has one framing and one host, and is read the same again from what goes on.
Verdict fuzz_request_head(std::span<const std::uint8_t> bytes);

// The method asked with and how to cut the bytes, then an answer. The same as for requests.
Verdict fuzz_response_head(std::span<const std::uint8_t> bytes);

// Framing and how to cut the bytes, then a body. Cutting changes nothing; chunks mean what a naive
// reader of the whole takes them for.
Verdict fuzz_body(std::span<const std::uint8_t> bytes);

}  // namespace granary::gateway::testing
