// BlobPacks: small blobs, many to a file. A record is
//   u8 1 (0: removed) | frame of (32-byte SHA-256, bytes)
// Records are only appended; removal clears the first byte in place; a pack that is mostly removed
// is copied away. Where each blob is is kept in memory (about 80 bytes each), read anew at start.
// One thread writes; `find` may be called on any.
#pragma once

#include <mutex>
#include <unordered_map>

#include "store/files.h"

namespace pileus::store {

class BlobPacks {
 public:
  static constexpr std::size_t kHead = 1 + 8 + 32;  // before the bytes

  struct Place {
    std::uint32_t pack = 0;
    std::uint32_t size = 0;    // of the blob
    std::uint64_t offset = 0;  // of the record
  };

  BlobPacks(FileLayer& files, std::string folder, std::uint64_t pack_bytes)
      : files_(files), folder_(std::move(folder)), pack_bytes_(pack_bytes) {}
  Result<Unit> load();
  std::optional<Place> find(std::string_view digest) const;
  std::string path(std::uint32_t pack) const;

  // Writing thread only. Digest and bytes; those that are known already are left out. Durable.
  Result<Unit> append(const std::vector<std::pair<std::string, std::string_view>>& blobs);
  // Durable. Gives how many of them were here.
  Result<std::size_t> remove(const std::vector<std::string>& digests);
  Result<Unit> clear();

 private:
  struct Key {
    std::array<std::uint64_t, 4> words;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const { return key.words[0]; }
  };
  struct Pack {
    std::uint64_t bytes = 0;
    std::uint64_t dead = 0;
  };
  static Key key_of(std::string_view digest);
  Result<Unit> load_pack(std::uint32_t number, bool newest);
  Result<Unit> learn(std::string_view digest, const Place& place);
  Result<Unit> mark_dead(const Place& place, std::map<std::uint32_t, std::unique_ptr<File>>& open);
  Result<Unit> open_active();
  Result<Unit> compact();

  FileLayer& files_;
  const std::string folder_;
  const std::uint64_t pack_bytes_;
  std::map<std::uint32_t, Pack> packs_;
  std::unique_ptr<File> active_;  // the newest pack
  std::uint32_t active_number_ = 0;
  mutable std::mutex mutex_;  // guards index_
  std::unordered_map<Key, Place, Hash> index_;
};

}  // namespace pileus::store
