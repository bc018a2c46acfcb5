// How attempts judge: from what a system call answered to held, broken or inapplicable. A call
// that needs a privilege is made with arguments that could do no harm even if it were granted;
// the error then tells whether the privilege or the arguments were at fault. Stateless.
#pragma once

#include <string>
#include <string_view>

#include "walls/attempt.h"

namespace granary::walls {

Answer held(std::string_view text);
Answer broken(std::string_view text);
Answer inapplicable(std::string_view text);

// "EPERM" of the errno of the moment.
std::string error_name();
// "call: EPERM", held: for calls whose every error is a refusal.
Answer refused(std::string_view call);
// `result` < 0 is a refusal, whatever the error.
Answer judge(std::string_view call, long result);
// Held only by EPERM and EACCES; any other error came after the check of the privilege, so the
// wall let it pass. ENOSYS: this kernel has no such call.
Answer judge_privileged(std::string_view call, long result);

// --- files; nothing is ever written into what could be opened
Answer try_open(const std::string& path, int flags);
Answer try_read(const std::string& path);   // opens it and reads a byte
Answer try_write(const std::string& path);  // opens it for writing
Answer try_list(const std::string& path);
Answer try_create(const std::string& path);  // and removes it, where that worked
// Files of /proc and /sys that mean something only to the host. Inapplicable where there is none.
Answer try_setting(const std::string& path);

}  // namespace granary::walls
