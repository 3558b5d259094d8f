// The data directory: one server at a time, secrets readable by their owner only, small files
// written so that a crash leaves the old or the new. Blocks; used while starting and stopping.
#pragma once

#include <optional>
#include <string>

#include "aws/seal.h"
#include "base/clock.h"
#include "net/tls.h"

namespace pileus::app {

class DataDir {
 public:
  // Makes the directory if needed and locks it; an error names the server that holds it.
  static Result<std::unique_ptr<DataDir>> open(std::string path);
  ~DataDir();
  const std::string& path() const { return path_; }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

  Result<std::optional<std::string>> read(std::string_view name) const;
  // Durable and whole when it returns. `mode` e.g. 0600.
  Result<Unit> write(std::string_view name, std::string_view content, unsigned mode) const;

  Result<aws::MasterKey> master_key(Random& random) const;  // made once
  // For localhost and its addresses; made once, renewed a month before its end.
  Result<net::TlsIdentity> tls(Time now, Random& random) const;
  // For one name, signed by the same authority; not kept.
  Result<net::TlsIdentity> leaf(const std::string& name, Time now, Random& random) const;

 private:
  Result<net::TlsAuthority> authority(Time now, Random& random) const;
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

}  // namespace pileus::app
