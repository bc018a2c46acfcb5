// The app's environment: the one init was given, with what the listening protocol adds. A list of
// pointers as exec wants it; the strings belong to others and must outlive it. Single-threaded.
#pragma once

namespace granary::init {

class Environment final {
 public:
  // `inherited` ends with a null pointer, as environ does.
  explicit Environment(char** inherited);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Adds `NAME=value`, in place of one of the same name. At most kAdditions in all. The text
  // behind '=' may still change until exec reads it.
  void set(char* assignment);
  void remove(const char* name);

  // Null if there was no memory for it.
  char** data() const { return list_; }

  static constexpr int kAdditions = 4;

 private:
  char** list_ = nullptr;
};

}  // namespace granary::init
