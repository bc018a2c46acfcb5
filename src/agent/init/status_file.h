// What the agent learns about the app: short lines in a file that it watches, each written whole.
// README.md lists them. Single-threaded.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/init/sys.h"
#include "agent/init/text.h"

namespace granary::init {

class StatusFile final {
 public:
  explicit StatusFile(int fd) : file_(fd) {
    const long size = file_.size();
    end_ = size > 0 ? static_cast<std::uint64_t>(size) : 0;
  }

  // One line: a word alone, or a word and its number. A status that cannot be written is lost;
  // the agent still learns from init's exit code how it ended.
  void write(std::string_view word) { write_line(Text<64>() << word << "\n"); }
  void write(std::string_view word, int number) {
    write_line(Text<64>() << word << " " << number << "\n");
  }

 private:
  void write_line(const Text<64>& line) {
    if (file_.write_at(line.view(), end_) == 0) end_ += line.view().size();
  }

  sys::DescriptorFile file_;
  std::uint64_t end_ = 0;
};

}  // namespace granary::init
