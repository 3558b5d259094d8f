// HotFolder: a directory whose content is a function's code, watched for edits. Every directory
// below it has an inotify watch of its own, so that asking costs one system call and an edit that
// was made before the question is always seen. open() and check() block: on a worker. Afterwards it
// belongs to one loop.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace pileus::services::lambda {

inline constexpr std::string_view kHotBucket = "hot-reload";  // S3Bucket that means a directory
inline constexpr std::size_t kMaxHotFolders = 16'384;         // directories watched per function

class HotFolder {
 public:
  // The real path of a directory that `owner` may read; InvalidParameterValueException else.
  static std::expected<std::string, Error> check(const std::string& path, std::uint32_t owner);
  static std::expected<std::unique_ptr<HotFolder>, Error> open(const std::string& path,
                                                               std::uint32_t owner);
  ~HotFolder();
  HotFolder(const HotFolder&) = delete;
  HotFolder& operator=(const HotFolder&) = delete;

  const std::string& path() const { return path_; }
  // Whether anything changed since open(). Then make another: new directories are not watched.
  bool changed();

 private:
  HotFolder(int inotify, std::string path) : inotify_(inotify), path_(std::move(path)) {}
  int inotify_;
  std::string path_;
  bool changed_ = false;
};

}  // namespace pileus::services::lambda
