#include "sandbox/root_fs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "base/text.h"

namespace pileus::sandbox {
namespace {

// Of the host's /etc only what programs need to run and everybody may read.
constexpr const char* kEtcCopies[] = {"ld.so.cache",     "ld.so.conf",
                                      "ld.so.conf.d",    "localtime",
                                      "timezone",        "ssl/certs",
                                      "ssl/openssl.cnf", "ca-certificates.conf",
                                      "pki/tls/certs",   "alternatives",
                                      "mime.types",      "services",
                                      "protocols",       "host.conf",
                                      "gai.conf",        "python3",
                                      "python3.11",      "python3.12",
                                      "python3.13",      "nodejs",
                                      "java-11-openjdk", "java-17-openjdk",
                                      "java-21-openjdk", "os-release",
                                      "debian_version",  "fonts"};

constexpr const char* kPasswd =
    "root:x:0:0:root:/:/usr/sbin/nologin\n"
    "sbx_user1051:x:993:990::/tmp:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr const char* kGroup = "root:x:0:\nsbx_user1051:x:990:\nnogroup:x:65534:\n";
constexpr const char* kHosts =
    "127.0.0.1 localhost sandbox\n::1 localhost ip6-localhost ip6-loopback\n";
constexpr const char* kNsswitch =
    "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: "
    "files\n";

struct Device {
  const char* name;
  unsigned major, minor;
};
constexpr Device kDevices[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}};

// In /proc: hidden altogether, and readable only.
constexpr const char* kHiddenFiles[] = {
    "/proc/kcore",       "/proc/keys",        "/proc/key-users",     "/proc/timer_list",
    "/proc/sched_debug", "/proc/kallsyms",    "/proc/sysrq-trigger", "/proc/kpagecount",
    "/proc/kpageflags",  "/proc/kpagecgroup", "/proc/slabinfo",      "/proc/vmallocinfo",
    "/proc/modules",     "/proc/kmsg",        "/proc/config.gz",     "/proc/latency_stats"};
constexpr const char* kHiddenFolders[] = {"/proc/acpi", "/proc/scsi", "/proc/asound",
                                          "/proc/driver"};
constexpr const char* kReadOnlyFolders[] = {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq",
                                            "/proc/tty"};

// An address of this machine, loopback or not: a sandbox reaches none of them.
bool is_own_address(std::string_view address) {
  if (address.starts_with("127.") || address == "::1") return true;
  bool own = false;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  for (ifaddrs* each = all; each; each = each->ifa_next) {
    char text[64];
    if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr, text,
                sizeof text);
    own = own || address == text;
  }
  ::freeifaddrs(all);
  return own;
}

// The host's name servers that lie outside of it; a local stub resolver is asked for its upstreams.
std::string resolv_conf(std::vector<std::string>& missing) {
  bool own_only = false;
  for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
    const std::string text = read_small_file(path);
    std::string out;
    bool server = false;
    for (const auto line : split(text, '\n')) {
      const auto trimmed = trim(line);
      if (trimmed.starts_with("nameserver")) {
        const auto address = trim(trimmed.substr(10));
        own_only = own_only || is_own_address(address);
        if (is_own_address(address) || address.find(':') != std::string_view::npos) continue;
        server = true;
      } else if (!trimmed.starts_with("search") && !trimmed.starts_with("options")) {
        continue;
      }
      out += str(trimmed, '\n');
    }
    if (server) return out;
  }
  if (own_only)
    missing.push_back(
        "no name resolution inside: the host's name server is at an address of this machine, which "
        "a sandbox does not reach; give /etc/resolv.conf a server elsewhere");
  return {};
}

Result<Unit> make_etc(const std::string& etc, std::vector<std::string>& missing) {
  TRY(make_directories(etc));
  for (const std::string name : kEtcCopies) {
    if (const auto slash = name.rfind('/'); slash != std::string::npos)
      TRY(make_directories(str(etc, '/', name.substr(0, slash))));
    copy_readable_tree("/etc/" + name, str(etc, '/', name));
  }
  TRY(make_file(etc + "/passwd", kPasswd));
  TRY(make_file(etc + "/group", kGroup));
  TRY(make_file(etc + "/hosts", kHosts));
  TRY(make_file(etc + "/hostname", "sandbox\n"));
  TRY(make_file(etc + "/nsswitch.conf", kNsswitch));
  TRY(make_file(etc + "/resolv.conf", resolv_conf(missing)));
  ::symlink("/proc/self/mounts", (etc + "/mtab").c_str());
  return Unit{};
}

Result<Unit> make_dev(const std::string& dev) {
  TRY(make_directories(dev));
  for (const auto& device : kDevices) {
    const std::string path = str(dev, '/', device.name);
    if (::mknod(path.c_str(), S_IFCHR | 0666, makedev(device.major, device.minor)) == 0) {
      ::chmod(path.c_str(), 0666);
      continue;
    }
    // Without the right to make nodes the host's own is bound; each sandbox inherits the mount.
    TRY(make_file(path, ""));
    if (::mount(str("/dev/", device.name).c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      return sys_fail(str("bind /dev/", device.name));
  }
  TRY(make_directories(dev + "/shm"));
  ::symlink("/proc/self/fd", (dev + "/fd").c_str());
  ::symlink("/proc/self/fd/0", (dev + "/stdin").c_str());
  ::symlink("/proc/self/fd/1", (dev + "/stdout").c_str());
  ::symlink("/proc/self/fd/2", (dev + "/stderr").c_str());
  return Unit{};
}

Result<Unit> attach_copy(const std::string& source, const std::string& target) {
  UniqueFd tree(clone_mount(source, Access::kReadOnly));
  if (!tree) return sys_fail(str("take a copy of the mount ", source));
  if (const int why = attach_mount(tree.get(), target)) return sys_fail(str("mount ", target), why);
  return Unit{};
}

// /dev is the one mount on which device nodes count.
Result<Unit> attach_dev(const std::string& source, const std::string& target) {
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return sys_fail("bind /dev");
  if (const int why = set_mount_read_only(target, Access::kReadOnly))
    return sys_fail("make /dev read-only", why);
  if (::mount("shm", (target + "/shm").c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=1777") != 0)
    return sys_fail("mount /dev/shm");
  return Unit{};
}

// The host's runtime directories: a link stays a link (/bin → usr/bin), a directory is bound.
Result<Unit> add_host_folders(const std::string& stage) {
  for (const char* name : {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const std::string source = str('/', name);
    const std::string target = str(stage, '/', name);
    struct stat info{};
    if (::lstat(source.c_str(), &info) != 0) continue;
    if (S_ISLNK(info.st_mode)) {
      char link[256];
      const ssize_t size = ::readlink(source.c_str(), link, sizeof link - 1);
      if (size <= 0) continue;
      link[size] = 0;
      ::symlink(link, target.c_str());
    } else if (S_ISDIR(info.st_mode)) {
      ::mkdir(target.c_str(), 0755);
      TRY(attach_copy(source, target));
    }
  }
  return Unit{};
}

Result<Unit> build_host_root(const std::string& scratch, const std::string& stage) {
  if (::mount("root", stage.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
              "mode=755,size=4m,nr_inodes=1024") != 0)
    return sys_fail("mount the root");
  TRY(add_host_folders(stage));
  for (const char* name :
       {"etc", "dev", "proc", "sys", "tmp", "run", "home", "opt", "mnt", "var", "var/task",
        "var/runtime", "var/lang", "var/lib", "var/log", "var/cache"})
    ::mkdir(str(stage, '/', name).c_str(), 0755);
  ::symlink("../tmp", (stage + "/var/tmp").c_str());
  TRY(attach_copy(scratch + "/etc", stage + "/etc"));
  return attach_dev(scratch + "/dev", stage + "/dev");
}

Result<Unit> build_given_root(const std::string& scratch, const std::string& root,
                              const std::string& stage) {
  const std::string layers = scratch + "/layers";
  ::mkdir(layers.c_str(), 0755);
  if (::mount("layers", layers.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
              "mode=755,size=4m,nr_inodes=1024") != 0)
    return sys_fail("mount the root's upper layer");
  ::mkdir((layers + "/upper").c_str(), 0755);
  ::mkdir((layers + "/work").c_str(), 0755);
  // Relative, so that no character of the state folder's path can end an option.
  if (::chdir(layers.c_str()) != 0) return sys_fail("enter the root's upper layer");
  const std::string options = str("lowerdir=", root, ",upperdir=upper,workdir=work");
  if (::mount("root", stage.c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) != 0 &&
      ::mount("root", stage.c_str(), "overlay", MS_NOSUID | MS_NODEV,
              (options + ",userxattr").c_str()) != 0)
    return sys_fail(str("lay the root over ", root));
  for (const char* name :
       {"etc", "dev", "proc", "sys", "tmp", "run", "opt", "var", "var/task", "var/runtime"})
    ::mkdir(str(stage, '/', name).c_str(), 0755);
  // Names and resolvers are ours in every root; the files of a root may be links out of /etc.
  for (const char* name : {"resolv.conf", "hosts", "hostname"})
    TRY(make_file(str(stage, "/etc/", name), read_small_file(str(scratch, "/etc/", name))));
  if (read_small_file(stage + "/etc/passwd").find(":993:") == std::string::npos) {
    TRY(make_file(stage + "/etc/passwd", kPasswd));
    TRY(make_file(stage + "/etc/group", kGroup));
  }
  return attach_dev(scratch + "/dev", stage + "/dev");
}

Result<Unit> mask_proc(const std::string& proc) {
  const auto inside = [&](const char* path) { return proc + (path + 5); };
  for (const char* path : kHiddenFiles) {
    if (::access(inside(path).c_str(), F_OK) != 0) continue;
    if (::mount("/dev/null", inside(path).c_str(), nullptr, MS_BIND, nullptr) != 0)
      return sys_fail(str("hide ", path));
    set_mount_read_only(inside(path), Access::kReadOnly);
  }
  for (const char* path : kHiddenFolders) {
    if (::access(inside(path).c_str(), F_OK) != 0) continue;
    if (::mount("hidden", inside(path).c_str(), "tmpfs",
                MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=555") != 0)
      return sys_fail(str("hide ", path));
  }
  for (const char* path : kReadOnlyFolders) {
    if (::access(inside(path).c_str(), F_OK) != 0) continue;
    if (::mount(inside(path).c_str(), inside(path).c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        set_mount_read_only(inside(path), Access::kReadOnly) != 0)
      return sys_fail(str("make ", path, " read-only"));
  }
  return Unit{};
}

Result<Unit> mount_proc(const std::string& proc) {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount("proc", proc.c_str(), "proc", kFlags, "hidepid=2") != 0 &&
      ::mount("proc", proc.c_str(), "proc", kFlags, nullptr) != 0)
    return sys_fail("mount /proc");
  return mask_proc(proc);
}

}  // namespace

Result<Unit> prepare_shared(const std::string& scratch, std::vector<std::string>& missing) {
  TRY(make_directories(scratch, 0755));
  if (::mount("pileus", scratch.c_str(), "tmpfs", MS_NOSUID, "mode=755,size=64m") != 0)
    return sys_fail(str("mount a tmpfs on ", scratch));
  TRY(make_directories(scratch + "/stage"));
  TRY(make_etc(scratch + "/etc", missing));
  return make_dev(scratch + "/dev");
}

Result<Unit> enter_root(const std::string& scratch, const std::string& root, ProcFs proc) {
  const std::string stage = scratch + "/stage";
  if (root.empty()) {
    TRY(build_host_root(scratch, stage));
  } else {
    TRY(build_given_root(scratch, root, stage));
  }
  if (proc == ProcFs::kMounted) TRY(mount_proc(stage + "/proc"));
  if (const int why = set_mount_read_only(stage, Access::kReadOnly))
    return sys_fail("make the root read-only", why);
  if (::chdir(stage.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0)
    return sys_fail("pivot_root");
  if (::umount2(".", MNT_DETACH) != 0) return sys_fail("leave the old root");
  if (::chdir("/") != 0) return sys_fail("chdir /");
  return Unit{};
}

Result<Unit> make_mount_point(const std::string& target, bool is_directory) {
  struct stat info{};
  if (::stat(target.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode) == is_directory) return Unit{};
    return fail(std::string(errc::kInvalid),
                str("mount ", target, ": one side is a directory, the other is not"));
  }
  set_mount_read_only("/", Access::kWritable);
  const auto made = [&]() -> Result<Unit> {
    if (is_directory) return make_directories(target);
    TRY(make_directories(target.substr(0, target.rfind('/'))));
    return make_file(target, "");
  }();
  set_mount_read_only("/", Access::kReadOnly);
  if (!made)
    return fail(std::string(errc::kInvalid), str("mount ", target,
                                                 ": the root has no such place and none can be "
                                                 "made (",
                                                 made.error().message(), ")"));
  return Unit{};
}

}  // namespace pileus::sandbox
