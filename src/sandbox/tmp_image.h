// /tmp of exactly so many bytes, not charged to the memory limit: a sparse ext4 image on a loop
// device. A template per size is made once by mkfs.ext4 and copied sparse; the copy has no name any
// more when it is mounted, so nothing stays when its sandbox ends.
#pragma once

#include <string>

#include "sandbox/sys.h"

namespace pileus::sandbox {

std::string tmp_template_name(std::uint64_t bytes);
// Makes the template for a size in `folder` unless it is there. Takes some 30 ms: never on a
// loop. errc::kIo when mkfs.ext4 is not installed.
Result<Unit> make_tmp_template(const std::string& folder, std::uint64_t bytes);

// Mounts a copy of the template on /tmp for `owner` (a host uid). Called by init.
struct TmpPlaces {
  int images_fd = -1;  // the folder of the templates
  int dev_fd = -1;     // the host's /dev
  unsigned owner_uid = 0, owner_gid = 0;
};
Result<Unit> mount_tmp_image(const TmpPlaces& places, std::uint64_t bytes, std::uint64_t salt,
                             const char* target);
// What is used where there is no loop device: its pages count as the sandbox's memory.
Result<Unit> mount_tmp_memory(const TmpPlaces& places, std::uint64_t bytes, const char* target);

}  // namespace pileus::sandbox
