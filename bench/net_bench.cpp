// Requests per second and latency of our HTTP server against nginx, in one run on one machine:
//   net_bench [seconds]
// 35-byte answers, 64 keep-alive connections, one event loop against one worker process, driven by
// wrk with one thread; the two take turns so that a busy machine hurts both. The target is a ratio
// of at most 1.2. Needs the Debian packages nginx-light and wrk; without nginx only we are shown.
// Also shown: two loops, TLS, and short connections (one request each).
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/text.h"
#include "net/server.h"
#include "net/tls.h"

namespace {

using namespace pileus;
namespace fs = std::filesystem;

constexpr std::string_view kBody = "{\"message\":\"Hello from a function\"}";
static_assert(kBody.size() == 35);

Task<net::Response> answer(net::Request&) {
  net::Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = kBody;
  co_return response;
}

std::string program(const char* name) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"}) {
    if (fs::exists(std::string(folder) + name)) return std::string(folder) + name;
  }
  return {};
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof in;
  ::bind(fd, reinterpret_cast<sockaddr*>(&in), sizeof in);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
  ::close(fd);
  return ntohs(in.sin_port);
}

bool listening(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  in.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool up = ::connect(fd, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0;
  ::close(fd);
  return up;
}

// nginx with one worker on a free port, with a configuration of its own in a folder of its own.
class Nginx {
 public:
  Nginx(const std::string& path, const fs::path& folder) : port_(free_port()) {
    fs::create_directories(folder / "tmp");
    std::ofstream(folder / "nginx.conf")
        << "daemon off; worker_processes 1; pid " << (folder / "pid").string() << "; error_log "
        << (folder / "error.log").string() << ";\n"
        << "events { worker_connections 4096; }\nhttp { access_log off; keepalive_requests "
           "1000000000;\n"
        << "client_body_temp_path " << (folder / "tmp").string() << "; proxy_temp_path "
        << (folder / "tmp").string() << "; fastcgi_temp_path " << (folder / "tmp").string()
        << "; uwsgi_temp_path " << (folder / "tmp").string() << "; scgi_temp_path "
        << (folder / "tmp").string() << ";\n"
        << "server { listen 127.0.0.1:" << port_
        << "; location / { default_type application/json; return 200 '" << kBody << "'; } } }\n";
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string config = (folder / "nginx.conf").string();
      ::execl(path.c_str(), path.c_str(), "-c", config.c_str(), "-p", folder.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 200 && !listening(port_); ++i) ::usleep(10'000);
  }
  ~Nginx() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  std::string url() const { return str("http://127.0.0.1:", port_, "/"); }
  pid_t worker() const {
    pid_t child = -1;
    std::ifstream(str("/proc/", pid_, "/task/", pid_, "/children")) >> child;
    return child;
  }

 private:
  int port_;
  pid_t pid_ = -1;
};

// CPU seconds that a process has used, its threads included.
double cpu_seconds(pid_t process) {
  std::ifstream stat(str("/proc/", process, "/stat"));
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  double user = 0, system = 0;
  const auto end = text.rfind(')');
  if (end == std::string::npos ||
      std::sscanf(text.c_str() + end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf",
                  &user, &system) != 2)
    return 0;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Figures {
  double requests = 0;
  double cpu_us = 0;  // of the server, per request: says more than the rate on a busy machine
  std::string p50, p99;
};

Figures load(const std::string& wrk, const std::string& url, int seconds,
             const std::string& more = {}, pid_t server = ::getpid()) {
  const double cpu_before = cpu_seconds(server);
  const std::string command =
      str(wrk, " -t1 -c64 -d", seconds, "s --latency ", more, " ", url, " 2>&1");
  FILE* out = ::popen(command.c_str(), "r");
  Figures figures;
  char line[256];
  while (std::fgets(line, sizeof line, out)) {
    char value[64];
    if (std::sscanf(line, " 50%% %63s", value) == 1) figures.p50 = value;
    if (std::sscanf(line, " 99%% %63s", value) == 1) figures.p99 = value;
    double rate = 0;
    if (std::sscanf(line, "Requests/sec: %lf", &rate) == 1) figures.requests = rate;
    if (std::strstr(line, "Non-2xx") || std::strstr(line, "Socket errors"))
      std::printf("    %s", line);
  }
  ::pclose(out);
  if (figures.requests > 0)
    figures.cpu_us = (cpu_seconds(server) - cpu_before) * 1e6 / (figures.requests * seconds);
  return figures;
}

void show(const char* what, const Figures& figures) {
  std::printf("%-34s %9.0f requests/s  %6.2f us CPU each  p50 %-9s p99 %s\n", what,
              figures.requests, figures.cpu_us, figures.p50.c_str(), figures.p99.c_str());
  std::fflush(stdout);
}

struct Server {
  explicit Server(std::size_t count, bool tls = false) : loops(count), server(loops, time) {
    net::HttpServer::ListenOptions options;
    if (tls) options.tls = identity();
    address = server.listen("127.0.0.1:0", answer, std::move(options)).value();
  }
  static net::TlsIdentity identity() {
    SystemRandom random;
    const auto authority = net::make_authority("net_bench", SystemTime().now(), random).value();
    return net::make_leaf(authority, {"127.0.0.1"}, SystemTime().now(), random).value();
  }
  std::string url(const char* scheme = "http://") const { return scheme + address + "/"; }
  SystemTime time;
  net::Loops loops;
  net::HttpServer server;
  std::string address;
};

// For comparison: each loop accepts for itself from a socket of its own (SO_REUSEPORT).
struct OwnSockets {
  OwnSockets() : loops(2), server(loops, time) {
    for (std::size_t i = 0; i < 2; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int one = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
      ::bind(fd, reinterpret_cast<sockaddr*>(&in), size);
      ::listen(fd, 4096);
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &size);
      net::HttpServer::ListenOptions options;
      options.loop = &loops.at(i);
      (void)server.listen_fd(fd, answer, std::move(options)).value();
    }
  }
  std::string url() const { return str("http://127.0.0.1:", ntohs(in.sin_port), "/"); }
  sockaddr_in in{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof in;
  SystemTime time;
  net::Loops loops;
  net::HttpServer server;
};

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 5;
  const std::string wrk = program("wrk"), nginx = program("nginx");
  if (wrk.empty()) {
    std::puts("skipped: wrk is not installed (Debian package wrk)");
    return 0;
  }
  char folder[] = "/tmp/net_bench.XXXXXX";
  if (!::mkdtemp(folder)) return 1;
  constexpr int kRounds = 3;
  double ours = 0, theirs = 0, our_cpu = 0, their_cpu = 0;
  if (nginx.empty())
    std::puts("nginx is not installed (Debian package nginx-light): no comparison");
  {
    std::unique_ptr<Nginx> peer;
    if (!nginx.empty()) peer = std::make_unique<Nginx>(nginx, folder);
    for (int round = 0; round < kRounds; ++round) {
      {
        const Server one(1);
        const Figures figures = load(wrk, one.url(), seconds);
        show("ours, one loop", figures);
        ours += figures.requests;
        our_cpu += figures.cpu_us;
      }
      if (!peer) continue;
      const Figures figures = load(wrk, peer->url(), seconds, {}, peer->worker());
      show("nginx, one worker", figures);
      theirs += figures.requests;
      their_cpu += figures.cpu_us;
    }
    const std::string close = "-H 'Connection: close'";
    show("ours, one request a connection", load(wrk, Server(1).url(), seconds, close));
    if (peer)
      show("nginx, one request a connection",
           load(wrk, peer->url(), seconds, close, peer->worker()));
  }
  show("ours, two loops", load(wrk, Server(2).url(), seconds));
  show("ours, two loops, short connections",
       load(wrk, Server(2).url(), seconds, "-H 'Connection: close'"));
  show("ours, two loops, a socket each", load(wrk, OwnSockets().url(), seconds));
  show("ours, two, a socket each, short",
       load(wrk, OwnSockets().url(), seconds, "-H 'Connection: close'"));
  show("ours, one loop, TLS", load(wrk, Server(1, true).url("https://"), seconds));
  fs::remove_all(folder);
  if (theirs > 0) {
    std::printf("nginx / ours in requests: %.3f, ours / nginx in CPU: %.3f (target: at most 1.2)\n",
                theirs / ours, our_cpu / their_cpu);
  }
  return 0;
}
