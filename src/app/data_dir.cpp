#include "app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace pileus::app {

namespace {
Error io_error(std::string_view what, const std::string& path) {
  return Error(std::string(errc::kIo), str(what, " ", path, ": ", std::strerror(errno)));
}
}  // namespace

Result<std::unique_ptr<DataDir>> DataDir::open(std::string path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed)
    return fail(std::string(errc::kIo), str("cannot make the data directory ", path, ": ",
                                            failed.message(), ". Choose another with --data DIR."));
  path = std::filesystem::absolute(path).lexically_normal().string();
  const int lock = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail(io_error("cannot open", path + "/lock"));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    [[maybe_unused]] const auto got = pread(lock, holder, sizeof holder - 1, 0);
    ::close(lock);
    return fail(std::string(errc::kIo),
                str("the data directory ", path, " is in use by process ", trim(holder),
                    ". Stop that server, or choose another directory with --data DIR."));
  }
  const std::string pid = str(getpid(), "\n");
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    ::close(lock);
    return fail(io_error("cannot write", path + "/lock"));
  }
  return std::unique_ptr<DataDir>(new DataDir(std::move(path), lock));
}

DataDir::~DataDir() { ::close(lock_); }

Result<std::optional<std::string>> DataDir::read(std::string_view name) const {
  std::ifstream file(at(name), std::ios::binary);
  if (!file) {
    if (!std::filesystem::exists(at(name))) return std::optional<std::string>();
    return fail(io_error("cannot read", at(name)));
  }
  std::stringstream content;
  content << file.rdbuf();
  return std::optional<std::string>(content.str());
}

Result<Unit> DataDir::write(std::string_view name, std::string_view content, unsigned mode) const {
  const std::string target = at(name), temporary = target + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return fail(io_error("cannot write", temporary));
  std::size_t done = 0;
  while (done < content.size()) {
    const auto n = ::write(file, content.data() + done, content.size() - done);
    if (n < 0 && errno != EINTR) {
      ::close(file);
      return fail(io_error("cannot write", temporary));
    }
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  const bool synced = fsync(file) == 0;
  ::close(file);
  if (!synced || rename(temporary.c_str(), target.c_str()) != 0)
    return fail(io_error("cannot write", target));
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    ::close(folder);
  }
  return Unit{};
}

Result<aws::MasterKey> DataDir::master_key(Random& random) const {
  aws::MasterKey key{};
  TRY_ASSIGN(auto kept, read("master.key"));
  if (kept) {
    if (kept->size() != key.size())
      return fail(
          std::string(errc::kIo),
          str(at("master.key"), " is damaged: it has ", kept->size(),
              " bytes instead of 32. "
              "Without it the secrets of access keys cannot be read; restore it from a backup."));
    std::memcpy(key.data(), kept->data(), key.size());
    return key;
  }
  random.fill(key);
  TRY(write("master.key", {reinterpret_cast<const char*>(key.data()), key.size()}, 0600));
  return key;
}

Result<net::TlsIdentity> DataDir::tls(Time now, Random& random) const {
  TRY_ASSIGN(auto chain, read("tls.crt"));
  TRY_ASSIGN(auto key, read("tls.key"));
  if (chain && key) {
    const auto end = net::certificate_end(*chain);
    if (end && *end > now + std::chrono::days(30)) return net::TlsIdentity{*chain, *key};
  }
  TRY_ASSIGN(auto signer, authority(now, random));
  TRY_ASSIGN(auto identity, net::make_leaf(signer, {"localhost", "127.0.0.1", "::1"}, now, random));
  TRY(write("tls.key", identity.private_key_pem, 0600));
  TRY(write("tls.crt", identity.certificate_chain_pem, 0644));
  return identity;
}

Result<net::TlsIdentity> DataDir::leaf(const std::string& name, Time now, Random& random) const {
  TRY_ASSIGN(auto signer, authority(now, random));
  return net::make_leaf(signer, {name}, now, random);
}

Result<net::TlsAuthority> DataDir::authority(Time now, Random& random) const {
  TRY_ASSIGN(auto certificate, read("ca.crt"));
  TRY_ASSIGN(auto key, read("ca.key"));
  if (certificate && key) return net::TlsAuthority{*certificate, *key};
  TRY_ASSIGN(auto made, net::make_authority("Pileus local authority", now, random));
  TRY(write("ca.key", made.private_key_pem, 0600));
  TRY(write("ca.crt", made.certificate_pem, 0644));
  return made;
}

}  // namespace pileus::app
