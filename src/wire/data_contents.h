// contents.json of a data archive: a line for each entry, and the totals. Whoever packs writes it;
// whoever reads writes it anew from what the archive holds, and compares: so both need only a file
// on the side, packed, however many entries there are. Names are ASCII, other bytes in them %XX.
// Owned and used by one thread.
//
//   {"version":2,"entries":[
//   {"path":"notes/a.txt","type":"file","mode":"0644","size":5,"sha256":"..."},
//   ...
//   ],"totals":{"files":1,"folders":2,"links":0,"bytes":5,"changed":0,"disk_bytes":0,
//   "left_out":{"sockets":1,"first":["run/app.sock"]}}}
//
// (the last two in one line). An entry of a part begins with "part"; that of a part's own folder
// has the path "", and "continues" names the folder that goes on in it, as the archive calls that.
// A file with holes also has "map", the SHA-256 of the lines "OFFSET LENGTH" of what is stored, and
// its sha256 is of the stored bytes alone. A link has "target"; attributes are "attributes", each
// with the SHA-256 of its value.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "wire/data_entry.h"

namespace granary::wire {

// What is known of a file's contents once they were read.
struct DataDigest {
  std::string sha256;  // of what is stored
  std::string map;     // SegmentMap::digest
};

class DataContents final {
 public:
  // `beside`: a path whose folder has room for the file on the side, which has no name.
  static base::Result<std::unique_ptr<DataContents>> open(const std::string& beside, int version);
  ~DataContents();
  DataContents(const DataContents&) = delete;
  DataContents& operator=(const DataContents&) = delete;

  base::Result<void> add(const DataEntry& entry, const DataDigest& digest);

  // The whole, once all entries are added: its length, then its pieces; empty at the end.
  base::Result<std::uint64_t> finish(const DataTotals& totals);
  base::Result<std::string> piece();

  // The other way: pieces of somebody's contents.json, in order, against what was added. The totals
  // must be `counted`, but for what only its writer can know, which is filled in at the end.
  // Errors: InvalidArgument, naming the first entry that differs.
  base::Result<void> compare(std::string_view theirs);
  base::Result<void> compare_end(DataTotals& counted);

 private:
  struct State;
  explicit DataContents(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace granary::wire
