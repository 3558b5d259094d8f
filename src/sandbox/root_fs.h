// What a sandbox sees as its file system. prepare_shared() makes once, in the launcher's own mount
// namespace, what all share: /etc (own passwd, group, hosts, resolv.conf …; no secret of the host)
// and /dev. enter_root() builds one sandbox's root out of it and pivots into it; called in the new
// mount and pid namespaces by init.
#pragma once

#include <string>
#include <vector>

#include "sandbox/sys.h"

namespace pileus::sandbox {

// Makes `scratch` (a directory) a private tmpfs with etc/, dev/ and stage/ in it. `resolvers` gives
// the addresses of name servers that a sandbox can reach.
Result<Unit> prepare_shared(const std::string& scratch, std::vector<std::string>& missing);

// `root`: "" for the host's runtime directories, else a directory (made writable-free by an
// overlay). Afterwards the process is in the new root; its /proc is mounted and masked, /tmp is
// still empty. ProcFs::kNone: /proc stays empty, for a process that shall see no other.
enum class ProcFs { kMounted, kNone };
Result<Unit> enter_root(const std::string& scratch, const std::string& root,
                        ProcFs proc = ProcFs::kMounted);

// A mount point for `target` in the read-only root: made when it is not there. Directory or file.
Result<Unit> make_mount_point(const std::string& target, bool is_directory);

}  // namespace pileus::sandbox
