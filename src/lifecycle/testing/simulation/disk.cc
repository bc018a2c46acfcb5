#include "lifecycle/testing/simulation/disk.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>

namespace granary::lifecycle::simulation {
namespace {

namespace fs = std::filesystem;
using base::Result;

// A folder of this process's own, on a file system in memory where the machine has one.
std::string make_folder() {
  static std::atomic<int> count{0};
  std::error_code error;
  const fs::path memory = "/dev/shm";
  const bool usable = fs::is_directory(memory, error) && ::access(memory.c_str(), W_OK) == 0;
  const fs::path root = usable ? memory : fs::temp_directory_path();
  const fs::path folder = root / fmt::format("granary-sim-{}-{}", ::getpid(), ++count);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

std::shared_ptr<store::Store> open_file(const std::string& file, store::Workers workers) {
  auto opened = store::open_sqlite({file, store::SqliteOptions::Durability::Normal}, workers,
                                   store::migrations());
  ASSERT(opened.has_value());
  return std::move(*opened);
}

// An empty database with the schema, made once: a world begins with a copy.
class Pattern final {
 public:
  Pattern() : folder_(make_folder()) {
    base::testing::InlineWorker worker;
    (void)open_file(file(), {worker, worker});  // closed again: all of it is in the one file
  }
  ~Pattern() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  std::string file() const { return folder_ + "/pattern.db"; }

 private:
  std::string folder_;
};

constexpr std::string_view kParts[] = {"", "-wal"};  // not -shm: it is made anew

}  // namespace

Disk::Disk(base::asio::any_io_executor executor)
    : folder_(make_folder()), writer_(std::move(executor)) {
  static const Pattern pattern;
  fs::copy_file(pattern.file(), file(number_));
  open();
}

Disk::~Disk() {
  store_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string Disk::file(std::uint64_t number) const {
  return fmt::format("{}/{}.db", folder_, number);
}

void Disk::open() { store_ = open_file(file(number_), {writer_, reader_}); }

void Disk::copy_files(std::uint64_t to) const {
  for (const std::string_view part : kParts) {
    const fs::path from = file(number_) + std::string(part);
    if (fs::exists(from)) fs::copy_file(from, file(to) + std::string(part));
  }
}

void Disk::crash_image() {
  copy_files(number_ + 1);
  // Linux: what still has them open keeps them until it closes them.
  for (const std::string_view part : {"", "-wal", "-shm"})
    fs::remove(file(number_) + std::string(part));
  ++number_;
  open();
}

void Disk::look(const store::Work& work) {
  bool done = false;
  base::asio::co_spawn(looking_, store_->read(work),
                       [&](const std::exception_ptr& failure, const Result<void>& result) {
                         if (failure) std::rethrow_exception(failure);
                         ASSERT(result.has_value());
                         done = true;
                       });
  looking_.restart();
  while (!done && looking_.poll() > 0) looking_.restart();
  ASSERT(done);
}

}  // namespace granary::lifecycle::simulation
