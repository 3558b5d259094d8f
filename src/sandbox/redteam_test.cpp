// An attacker's list, each item tried from inside a sandbox and seen to fail, while a neighbour and
// this machine stay unharmed. The attacks are Python, because a managed runtime gives exactly that
// to whoever writes a function.
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"

namespace pileus::sandbox {
namespace {

// attempt(name, action): "held" when the action raises or gives something false, else "BROKE".
constexpr const char* kTools = R"py(
import ctypes, os, socket, sys, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True
def attempt(name, action):
    try: broke = action()
    except BaseException as e: print('held', name, '(%s)' % e); return
    print('BROKE' if broke else 'held', name, repr(broke) if broke else '')
def write(path, text='1'):
    with open(path, 'w') as f: f.write(text)
    return True
def read(path, size=4096):
    with open(path, 'rb') as f: return f.read(size)
def libcall(name, *args):
    if getattr(libc, name)(*args) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True
def connects(family, address):
    s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(1)
    s.connect(address); return True
)py";

// Runs the attacks; every line must begin with "held", and there must be as many as attempts.
std::string attack(Way way, const std::string& code, Spec spec = python("")) {
  spec.argv.back() = kTools + code;
  const Ran ran = run(way, spec);
  EXPECT_EQ(ran.output.find("BROKE"), std::string::npos) << ran.output;
  EXPECT_EQ(ran.output.find("Traceback"), std::string::npos) << ran.output;
  std::size_t attempts = 0, held = 0;
  for (std::size_t at = 0; (at = code.find("attempt(", at)) != std::string::npos; ++at) ++attempts;
  for (const auto line : split(ran.output, '\n')) held += line.starts_with("held ");
  EXPECT_GE(held, attempts) << ran.output;
  EXPECT_EQ(ran.exit.signal, 0) << ran.output;
  return ran.output;
}

// A sandbox beside the attacker's: it answers what it is asked, so the test sees that it lives.
class Neighbour {
 public:
  Neighbour() {
    Spec spec = python(
        "import os, socket\nopen('/tmp/secret', 'w').write('neighbour')\n"
        "os.environ['SECRET'] = 'neighbour'\n"
        "s = socket.create_server(('127.0.0.1', 7777))\nu = socket.socket(socket.AF_UNIX)\n"
        "u.bind('\\0neighbour')\nu.listen()\nprint('up')\n"
        "c = socket.create_connection(('127.0.0.1', 9001))\n"
        "while True:\n  d = c.recv(1)\n  if not d: break\n  c.sendall(d + "
        "open('/tmp/secret').read().encode())");
    spec.listeners = {{"runtime", "127.0.0.1", 9001}};
    spec.environment.emplace_back("NEIGHBOUR_CREDENTIAL", "do-not-tell");
    auto started = start(spec);
    if (!started) return;
    sandbox_ = std::move(*started);
    listener_.reset(sandbox_->listener_fd("runtime"));
    read_some(sandbox_->output_fd(), "up\n");
    ::fcntl(listener_.get(), F_SETFL, 0);
    connection_.reset(::accept(listener_.get(), nullptr, nullptr));
  }
  bool well() {
    char answer[64];
    if (::write(connection_.get(), "?", 1) != 1) return false;
    const ssize_t size = ::read(connection_.get(), answer, sizeof answer);
    return size > 0 && std::string_view(answer, static_cast<std::size_t>(size)) == "?neighbour";
  }
  ~Neighbour() { EXPECT_TRUE(well()) << "the neighbour was harmed"; }

 private:
  std::unique_ptr<Sandbox> sandbox_;
  UniqueFd listener_, connection_;
};

struct HostListener {
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  unsigned port = 0;
  HostListener() {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    socklen_t size = sizeof where;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&where), size), 0);
    EXPECT_EQ(::listen(socket.get(), 8), 0);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&where), &size);
    port = ntohs(where.sin_port);
  }
};

class RedTeam : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(, RedTeam, testing::Values(Way::kExecuted, Way::kForked),
                         [](const auto& info) {
                           return info.param == Way::kExecuted ? "executed" : "forked";
                         });

TEST_P(RedTeam, Writing_to_proc_and_sys) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
attempt('sysrq', lambda: write('/proc/sysrq-trigger', 'c'))
attempt('core_pattern', lambda: write('/proc/sys/kernel/core_pattern', '|/tmp/x'))
attempt('modprobe path', lambda: write('/proc/sys/kernel/modprobe', '/tmp/x'))
attempt('hostname', lambda: write('/proc/sys/kernel/hostname', 'x'))
attempt('ip_forward', lambda: write('/proc/sys/net/ipv4/ip_forward'))
attempt('overcommit', lambda: write('/proc/sys/vm/overcommit_memory'))
attempt('binfmt_misc', lambda: write('/proc/sys/fs/binfmt_misc/register', ':x:M::x::/tmp/x:'))
attempt('irq', lambda: write('/proc/irq/default_smp_affinity'))
attempt('kcore', lambda: read('/proc/kcore'))
attempt('kmsg', lambda: read('/proc/kmsg'))
attempt('keys', lambda: read('/proc/keys'))
attempt('kallsyms', lambda: read('/proc/kallsyms'))
attempt('timer_list', lambda: read('/proc/timer_list'))
attempt('uevent_helper', lambda: write('/sys/kernel/uevent_helper', '/tmp/x'))
attempt('sys is there', lambda: os.listdir('/sys'))
attempt('remount proc/sys', lambda: libcall('mount', b'none', b'/proc/sys', None, 32, None))
)py");
}

TEST_P(RedTeam, Seeing_or_touching_processes_outside) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  const std::string server = str(::getpid());
  attack(GetParam(), R"py(
attempt('other processes are seen', lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()])
attempt('init by /proc', lambda: os.listdir('/proc/1/fd'))
attempt('init memory', lambda: read('/proc/1/mem', 1))
attempt('init environment', lambda: read('/proc/1/environ'))
attempt('init root', lambda: os.listdir('/proc/1/root/home'))
attempt('kill init', lambda: os.kill(1, 9) or False)
attempt('server by pid', lambda: os.kill()py" +
                         server + R"py(, 0) or True)
attempt('server memory', lambda: read('/proc/)py" +
                         server + R"py(/mem', 1))
attempt('ptrace me', lambda: call(101, 0, 0, 0, 0))
attempt('ptrace init', lambda: call(101, 16, 1, 0, 0))
attempt('process_vm_readv', lambda: call(310, 1, 0, 0, 0, 0, 0))
attempt('pidfd_getfd', lambda: call(438, call(434, 1, 0), 0, 0))
attempt('kcmp', lambda: call(312, 1, os.getpid(), 0, 0, 0))
attempt('renice others', lambda: os.setpriority(os.PRIO_PROCESS, 1, 10) or True)
)py");
}

TEST_P(RedTeam, Mounting_and_leaving_the_root) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
attempt('mount tmpfs', lambda: libcall('mount', b'x', b'/tmp', b'tmpfs', 0, None))
attempt('umount', lambda: libcall('umount2', b'/proc', 2))
attempt('umount masked', lambda: libcall('umount2', b'/proc/kcore', 2))
attempt('pivot_root', lambda: call(155, b'/tmp', b'/tmp'))
attempt('chroot', lambda: os.chroot('/tmp') or True)
attempt('open_tree', lambda: call(428, -100, b'/', 1))
attempt('fsopen', lambda: call(430, b'tmpfs', 0))
attempt('mount_setattr', lambda: call(442, -100, b'/', 0, 0, 0))
attempt('open_by_handle_at', lambda: call(304, 3, 0, 0))
attempt('write to the root', lambda: write('/new'))
attempt('write to /usr', lambda: write('/usr/new'))
attempt('write to /etc', lambda: write('/etc/passwd', 'x'))
attempt('write to /dev', lambda: write('/dev/new'))
attempt('write to code', lambda: write('/var/task/new'))
attempt('shadow', lambda: read('/etc/shadow'))
attempt('root home', lambda: os.listdir('/root'))
attempt('homes', lambda: os.listdir('/home'))
attempt('ssh', lambda: os.listdir('/etc/ssh'))
attempt('private keys', lambda: os.listdir('/etc/ssl/private'))
attempt('docker socket', lambda: os.stat('/var/run/docker.sock'))
attempt('run', lambda: os.listdir('/run'))
)py");
}

TEST_P(RedTeam, Devices) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
import stat
attempt('mknod disk', lambda: os.mknod('/tmp/disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0)) or True)
attempt('mknod mem', lambda: os.mknod('/tmp/mem', 0o600 | stat.S_IFCHR, os.makedev(1, 1)) or True)
attempt('other devices', lambda: set(os.listdir('/dev')) - {'null','zero','full','random','urandom','fd','stdin','stdout','stderr','shm'})
attempt('device through mknod in shm', lambda: os.mknod('/dev/shm/kvm', 0o600 | stat.S_IFCHR, os.makedev(10, 232)) or True)
attempt('iopl', lambda: call(172, 3))
attempt('a suid file runs as its owner', lambda: (open('/tmp/s', 'w').write('x'), os.chmod('/tmp/s', 0o4755), os.statvfs('/tmp').f_flag & 2 == 0)[2])
)py");
}

TEST_P(RedTeam, Users_namespaces_capabilities_and_keys) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
attempt('be root', lambda: os.setuid(0) or True)
attempt('be another', lambda: os.setresuid(1000, 1000, 1000) or True)
attempt('be in another group', lambda: os.setgroups([0]) or True)
attempt('am root', lambda: os.getuid() == 0 or os.geteuid() == 0)
attempt('unshare user', lambda: call(272, 0x10000000))
attempt('unshare net', lambda: call(272, 0x40000000))
attempt('clone user', lambda: call(56, 0x10000011, 0, 0, 0, 0))
attempt('clone3', lambda: call(435, 0, 0))
attempt('setns', lambda: call(308, os.open('/proc/self/ns/net', os.O_RDONLY), 0))
attempt('has capabilities', lambda: any(int(l.split()[1], 16) for l in open('/proc/self/status') if l.startswith('Cap')))
attempt('new privileges allowed', lambda: 'NoNewPrivs:\t1' not in open('/proc/self/status').read())
attempt('no filter', lambda: 'Seccomp:\t2' not in open('/proc/self/status').read())
attempt('add_key', lambda: call(248, b'user', b'x', b'y', 1, -3))
attempt('keyctl', lambda: call(250, 0, -3, 0))
attempt('request_key', lambda: call(249, b'user', b'x', 0, 0))
attempt('bpf', lambda: call(321, 0, 0, 0))
attempt('perf', lambda: call(298, 0, 0, -1, -1, 0))
attempt('userfaultfd', lambda: call(323, 0))
attempt('io_uring', lambda: call(425, 1, 0))
attempt('kexec', lambda: call(246, 0, 0, 0, 0))
attempt('init_module', lambda: call(175, 0, 0, b''))
attempt('reboot', lambda: call(169, 0xfee1dead, 672274793, 0x1234567, 0))
attempt('swapon', lambda: call(167, b'/tmp/x', 0))
attempt('settimeofday', lambda: call(164, 0, 0))
attempt('sethostname', lambda: socket.sethostname('x') or True)
attempt('a system call not known yet', lambda: call(470, 0, 0, 0, 0))
attempt('x32', lambda: call(0x40000000 + 39))
attempt('raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('packet socket', lambda: socket.socket(17, socket.SOCK_RAW))
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))
attempt('crypto socket', lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt('sudo', lambda: os.system('/usr/bin/su -c true root 2>/dev/null') == 0)
)py");
}

TEST_P(RedTeam, Control_groups) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
attempt('cgroup files', lambda: os.listdir('/sys/fs/cgroup'))
attempt('mount cgroup', lambda: libcall('mount', b'c', b'/tmp', b'cgroup', 0, b'memory'))
attempt('mount cgroup2', lambda: libcall('mount', b'c', b'/tmp', b'cgroup2', 0, None))
attempt('release_agent', lambda: write('/sys/fs/cgroup/memory/release_agent', '/tmp/x'))
attempt('leaked descriptors', lambda: [os.readlink('/proc/self/fd/%s' % f) for f in os.listdir('/proc/self/fd') if int(f) > 2 and '/proc/' not in os.readlink('/proc/self/fd/%s' % f)])
attempt('own group is told', lambda: 'process_api' in open('/proc/self/cgroup').read() or '/pileus-' in open('/proc/self/cgroup').read())
)py");
}

TEST_P(RedTeam, The_hosts_sockets) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  HostListener host;
  UniqueFd abstract(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = str("pileus-redteam-", ::getpid());
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<sockaddr*>(&name),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size())),
            0);
  ASSERT_EQ(::listen(abstract.get(), 1), 0);
  std::string code = str("port = ", host.port, "\n");
  code += str("attempt('abstract', lambda: connects(socket.AF_UNIX, '\\0", text, "'))\n");
  code += "attempt('neighbour abstract', lambda: connects(socket.AF_UNIX, '\\0neighbour'))\n";
  // Every address the host has, the veth's other end, its loopback by any name.
  std::string addresses =
      "['127.0.0.1', '127.0.0.2', '0.0.0.0', '169.254.169.254', '169.254.170.2'";
  ifaddrs* all = nullptr;
  ::getifaddrs(&all);
  for (ifaddrs* each = all; each; each = each->ifa_next) {
    char address[64];
    if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr, address,
                sizeof address);
    addresses += str(", '", address, "'");
  }
  ::freeifaddrs(all);
  code += str("for a in ", addresses,
              "]: attempt('host ' + a, lambda: connects(socket.AF_INET, (a, port)))\n");
  code += "for a in " + addresses +
          "]: attempt('neighbour ' + a, lambda: connects(socket.AF_INET, (a, 7777)))\n";
  code += R"py(
import struct
for i in range(0, 64):
    a = '198.18.0.%d' % i
    s = socket.socket(); s.setblocking(False); s.connect_ex((a, port)); globals()['s%d' % i] = s
import select, time
time.sleep(0.5)
def connected(s):
    try: return s.getpeername()
    except OSError: return False
attempt('any sandbox or gateway address', lambda: [i for i in range(64) if connected(globals()['s%d' % i])])
attempt('link-local of the host', lambda: connects(socket.AF_INET6, ('fe80::1', port, 0, 2)))
)py";
  attack(GetParam(), code);
  Spec with_network = python("");
  with_network.outbound = Outbound::kNat;
  attack(GetParam(), code, with_network);
}

TEST_P(RedTeam, The_neighbours_files_and_memory) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  attack(GetParam(), R"py(
attempt('secret in tmp', lambda: os.path.exists('/tmp/secret'))
attempt('anything in tmp', lambda: os.listdir('/tmp'))
attempt('shared memory', lambda: os.listdir('/dev/shm'))
attempt('sysv shared memory', lambda: len(open('/proc/sysvipc/shm').read().split('\n')) > 2)
attempt('message queues', lambda: libcall('mq_open', b'/x', 0))
attempt('credentials in environment', lambda: [p for p in os.listdir('/proc') if p.isdigit() and p != str(os.getpid()) and b'do-not-tell' in read('/proc/%s/environ' % p)])
attempt('mount sources are told', lambda: 'pileus-sandbox' in open('/proc/self/mountinfo').read())
)py");
}

TEST_P(RedTeam, A_fork_bomb_ends_at_its_limit) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  Spec spec = python(R"py(
import os, signal, time
made = 0
try:
    while made < 5000:
        if os.fork() == 0: time.sleep(600)
        made += 1
except OSError as e: print('stopped', made, e.strerror)
)py");
  spec.max_processes = 64;
  const Ran ran = run(GetParam(), spec);
  EXPECT_EQ(ran.output, "stopped 63 Resource temporarily unavailable\n");  // also by RLIMIT_NPROC
  EXPECT_EQ(ran.exit.code, 0);
}

TEST_P(RedTeam, Shared_memory_counts_as_memory) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().memory_limit) GTEST_SKIP() << "no memory controller";
  Neighbour neighbour;
  const Ran ran =
      run(GetParam(),
          python("f = open('/dev/shm/x', 'wb', buffering=0)\nfor i in range(400): f.write(b'x' * "
                 "(1 << 20))\nprint('had it')"));
  EXPECT_EQ(ran.output.find("had it"), std::string::npos);
  EXPECT_TRUE(ran.exit.out_of_memory);
}

TEST_P(RedTeam, Memory_of_children_counts_together) {
  NEEDS_ISOLATION();
  if (!test_driver().capabilities().memory_limit) GTEST_SKIP() << "no memory controller";
  Neighbour neighbour;
  const Ran ran = run(GetParam(), python(R"py(
import os, time
killed = 0
pids = []
for i in range(4):
    pid = os.fork()
    if pid == 0:
        b = bytearray(60 << 20)
        time.sleep(2); os._exit(0)
    pids.append(pid)
for pid in pids: killed += os.waitpid(pid, 0)[1] != 0
print('killed' if killed else 'all had it')
)py"));
  EXPECT_NE(ran.output, "all had it\n");
  EXPECT_TRUE(ran.exit.out_of_memory);
}

TEST_P(RedTeam, Descriptors_end_at_their_limit) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  const Ran ran =
      run(GetParam(),
          python("import os, resource\ntry:\n  while True: f = os.dup(0)\nexcept OSError as e: "
                 "print(f, e.strerror)\n"
                 "try: resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536)); "
                 "print('raised')\nexcept ValueError: print('kept')"));
  EXPECT_EQ(ran.output, "1023 Too many open files\nkept\n");
}

TEST_P(RedTeam, Output_that_nobody_reads_stops_only_its_writer) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  auto sandbox = start(python("while True: print('x' * 4096)"));
  ASSERT_TRUE(sandbox.has_value());
  EXPECT_TRUE(neighbour.well());
}

TEST_P(RedTeam, A_crash_starts_no_core_handler_of_the_host) {
  NEEDS_ISOLATION();
  Neighbour neighbour;
  const Ran ran = run(
      GetParam(),
      python("import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE)); os.abort()"));
  EXPECT_EQ(ran.output, "(1, 1)\n");
  EXPECT_EQ(ran.exit.signal, SIGABRT);
}

TEST_P(RedTeam, Nothing_of_the_servers_environment_or_descriptors_is_inherited) {
  NEEDS_ISOLATION();
  ::setenv("PILEUS_SECRET", "x", 1);
  const Ran ran =
      run(GetParam(), python("import os; print(sorted(os.environ)); print(sorted(int(f) for f in "
                             "os.listdir('/proc/self/fd'))[:3], os.getuid(), os.getgid(), "
                             "os.getgroups(), os.getcwd())"));
  EXPECT_TRUE(ran.output.starts_with("['LC_CTYPE', 'PATH']\n[0, 1, 2] 993 990 [") ||
              ran.output.starts_with("['PATH']\n[0, 1, 2] 993 990 ["))
      << ran.output;
}

}  // namespace
}  // namespace pileus::sandbox
