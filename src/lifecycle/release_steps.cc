#include "lifecycle/steps.h"
#include "registry/release_row.h"

// What removing a release does once its row is gone. Each step looks for the row again: the same
// contents may have been released anew meanwhile.
namespace granary::lifecycle {

using base::Code;
using base::Result;
using base::Task;
using operation::Operation;
using operation::Outcome;
using store::Transaction;

Task<Result<bool>> Lifecycle::Steps::is_back(std::string hash) {
  bool back = false;
  CO_TRY(co_await parts.store.read([&](Transaction& tx) -> Result<void> {
    const auto found = registry::get_release_by_hash(tx, hash);
    if (!found && found.error().code != Code::NotFound) return std::unexpected(found.error());
    back = found.has_value();
    return {};
  }));
  co_return back;
}

Lifecycle::Steps::Step Lifecycle::Steps::forget_release(Operation operation) {
  CO_TRY_ASSIGN(const std::string hash, base::json::get_string(operation.input, "hash"));
  CO_TRY_ASSIGN(const bool back, co_await is_back(hash));
  Outcome outcome;
  outcome.detail = back ? "it was made anew" : "no machine has it unpacked";
  if (back) co_return outcome;
  for (const auto& [name, driver] : parts.clouds) CO_TRY(co_await driver->forget_release(hash));
  co_return outcome;
}

Lifecycle::Steps::Step Lifecycle::Steps::remove_release(Operation operation) {
  CO_TRY_ASSIGN(const std::string hash, base::json::get_string(operation.input, "hash"));
  CO_TRY(co_await parts.release_files.remove(hash));
  Outcome outcome;
  outcome.detail = "its files are gone";
  co_return outcome;
}

}  // namespace granary::lifecycle
