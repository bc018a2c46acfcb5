// Entry points for fuzzing the documents that the roles exchange: on a socket anybody on the
// machine may write to, or in files that may be damaged. Each *_fuzz.cc beside this is the
// libFuzzer program of one. They assert what must hold whatever the bytes are.
#pragma once

#include <cstdint>
#include <span>

namespace granary::wire::testing {

enum class Verdict { Taken, Refused };

// What is taken is the same after it was written and read again, and refers to nothing outside of
// itself.
Verdict fuzz_snapshot(std::span<const std::uint8_t> bytes);
Verdict fuzz_frontend_index(std::span<const std::uint8_t> bytes);

// A stream of frames, or one body without a head. Requests, answers, specs and reports are the same
// after they were written and read again; nobody but the roles may use any verb.
Verdict fuzz_agent_protocol(std::span<const std::uint8_t> bytes);

// A tar archive, put into a zstd frame here. Checking and unpacking agree; what is taken unpacks
// into a folder that packs into the like of it; nothing appears beside that folder.
Verdict fuzz_data_archive(std::span<const std::uint8_t> bytes);

}  // namespace granary::wire::testing
