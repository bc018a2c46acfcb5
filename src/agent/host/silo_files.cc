#include "agent/host/silo_files.h"

#include <fcntl.h>

#include <charconv>
#include <sstream>

#include "agent/limits.h"
#include "base/os/file.h"

namespace granary::agent {

using base::Code;
using base::Result;
using base::ServiceId;

namespace {

int number_after(std::string_view line, std::size_t at) {
  int number = 0;
  if (at < line.size()) std::from_chars(line.data() + at, line.data() + line.size(), number);
  return number;
}

// One line; init/README.md lists them.
void read_line(std::string_view line, StatusReport& report) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  const int number = number_after(line, space + 1);
  const auto ended = [&](SiloEnd::Kind kind) {
    report.ended = true;
    report.end.kind = kind;
    report.end.value = number;
  };
  if (word == "ready") report.listens = true;
  if (word == "stopping") report.end.asked = true;
  if (word == "exec-failed") ended(SiloEnd::Kind::NotStarted);
  if (word == "exited") ended(SiloEnd::Kind::Exited);
  if (word == "signalled") ended(SiloEnd::Kind::Signalled);
}

}  // namespace

Result<LifeFiles> open_life_files(const wire::Paths& paths, const ServiceId& service) {
  LifeFiles files;
  for (int half = 0; half < 2; ++half) {
    TRY_ASSIGN(files.log[half],
               base::os::open_file(paths.log(service, half),
                                   O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0600));
  }
  TRY_ASSIGN(files.status, base::os::open_file(paths.silo_status(service),
                                               O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  return files;
}

StatusReport parse_status(std::string_view text) {
  StatusReport report;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;  // not written whole
    read_line(text.substr(0, end), report);
    text.remove_prefix(end + 1);
  }
  return report;
}

StatusReport read_status(const wire::Paths& paths, const ServiceId& service) {
  return parse_status(base::os::read_file(paths.silo_status(service), kMaxStatusFile).value_or(""));
}

Result<void> write_record(const wire::Paths& paths, const ServiceId& service,
                          const SiloRecord& record) {
  return base::os::replace_file(paths.silo_record(service), base::json::print(to_json(record)),
                                0600, base::os::Durability::Cached);
}

Result<SiloRecord> read_record(const wire::Paths& paths, const ServiceId& service) {
  TRY_ASSIGN(const std::string text,
             base::os::read_file(paths.silo_record(service), kMaxRecordFile));
  const auto document = base::json::parse_object(text, kMaxRecordFile);
  if (document) {
    auto record = silo_record_from(*document);
    if (record) return record;
  }
  return base::fail(Code::DataLoss, "the record of {} cannot be read", to_string(service));
}

Result<void> write_secrets(const std::string& folder, const wire::Secrets& secrets,
                           std::optional<base::os::Ownership> owner) {
  TRY(base::os::remove_tree(folder));
  TRY(base::os::make_folders(folder, 0700));
  for (const auto& [name, value] : secrets) {
    const std::string path = folder + "/" + name;
    TRY(base::os::replace_file(path, value, 0400, base::os::Durability::Cached));
    if (owner) TRY(base::os::give_file(path, *owner));
  }
  // Last: until then nobody else looks into it.
  if (owner) TRY(base::os::give_file(folder, *owner));
  return {};
}

Result<void> remove_life_files(const wire::Paths& paths, const ServiceId& service) {
  TRY(base::os::remove_tree(paths.silo_secrets(service)));
  TRY(base::os::remove_file(paths.silo_status(service)));
  return base::os::remove_file(paths.silo_record(service));
}

std::vector<ServiceId> recorded_services(const wire::Paths& paths) {
  constexpr std::string_view kEnding = ".json";
  std::vector<ServiceId> services;
  for (const std::string& account :
       base::os::list_folder(paths.silos()).value_or(std::vector<std::string>())) {
    const base::AccountId id(account);
    for (const std::string& name :
         base::os::list_folder(paths.silo(id)).value_or(std::vector<std::string>())) {
      if (name.ends_with(kEnding))
        services.push_back({id, name.substr(0, name.size() - kEnding.size())});
    }
  }
  return services;
}

}  // namespace granary::agent
