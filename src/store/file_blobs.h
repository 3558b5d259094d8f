// Blobs in one folder: those of at most `small_bytes` packed many to a file (blob_packs.h), larger
// ones as objects/<first two digits>/<id>, written under tmp/ and renamed when durable. Three
// threads: one makes things durable in groups, one writes what is large, one reads. Any loop.
#pragma once

#include "store/blobs.h"
#include "store/files.h"

namespace pileus::store {

struct FileBlobsOptions {
  std::size_t small_bytes = 16 << 10;
  std::uint64_t pack_bytes = 64 << 20;
  FileLayer* files = nullptr;  // the machine's when none is given
};

Result<std::unique_ptr<Blobs>> make_file_blobs(std::string folder, FileBlobsOptions options = {});

}  // namespace pileus::store
