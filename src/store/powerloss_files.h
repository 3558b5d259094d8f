// A disk in memory whose power can be cut at any moment: what was not synced is lost, or kept in
// part, sector by sector and name by name, from a seed. For tests only; PowerlossVfs lets SQLite
// live on it. Any thread.
#pragma once

#include <map>
#include <mutex>

#include "base/random.h"
#include "store/files.h"

namespace pileus::store {

class PowerlossFiles final : public FileLayer {
 public:
  explicit PowerlossFiles(std::uint64_t seed) : random_(seed) {}

  // Cuts the power in the midst of the n-th write, sync, truncation, renaming … from now.
  void cut_after(std::uint64_t operations);
  void cut_now();
  bool is_off() const;
  // Decides what the cut left behind, and goes on from there. Files opened before stay dead.
  void restore();
  std::uint64_t cuts() const { return epoch_; }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<Unit> rename(const std::string& from, const std::string& to) override;
  Result<Unit> unlink(const std::string& path) override;
  Result<Unit> sync_dir(const std::string& path) override;
  Result<Unit> make_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;

 private:
  static constexpr std::size_t kSector = 512;
  struct Change {
    std::uint64_t offset;
    std::string bytes;
    bool truncation;  // to `offset`
  };
  struct Inode {
    std::string now;      // what readers see
    std::string durable;  // what survives for certain
    std::vector<Change> unsynced;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;  // shared with open files
  struct NameChange {
    std::string from;  // "" when made
    std::string to;    // "" when removed
    std::shared_ptr<Inode> inode;
  };
  class OpenFile;

  Result<Unit> act();  // counts down; an error once the power is off
  static void apply(std::string& contents, const Change& change);
  static void apply(Names& names, const NameChange& change);
  void tear(Inode& inode);

  mutable std::mutex mutex_;  // guards everything
  SeededRandom random_;
  bool off_ = false;
  std::uint64_t countdown_ = 0;  // 0: no cut is planned
  std::uint64_t epoch_ = 0;
  Names now_;
  Names durable_;
  std::vector<NameChange> unsynced_;
};

// Registers a SQLite VFS over a FileLayer while it lives. One connection at a time: no locks, no
// shared memory.
class PowerlossVfs {
 public:
  PowerlossVfs(std::string name, FileLayer& files);
  ~PowerlossVfs();
  PowerlossVfs(const PowerlossVfs&) = delete;
  PowerlossVfs& operator=(const PowerlossVfs&) = delete;
  const std::string& name() const { return name_; }

 private:
  struct Registered;
  std::string name_;
  std::unique_ptr<Registered> vfs_;
};

}  // namespace pileus::store
