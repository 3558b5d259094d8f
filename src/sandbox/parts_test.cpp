// The parts that need no privilege: packets, their encoding, control files of both versions.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/text.h"
#include "sandbox/cgroup.h"
#include "sandbox/channel.h"
#include "sandbox/init.h"
#include "sandbox/sys.h"
#include "sandbox/test_support.h"
#include "sandbox/wire.h"

namespace pileus::sandbox {
namespace {

TEST(Wire, A_reader_never_reads_past_its_bytes) {
  Writer out;
  out.put(std::uint32_t(7)).put("text").put(std::vector<std::string>{"a", "b"});
  const std::string bytes = out.bytes();
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Reader in(std::string_view(bytes).substr(0, size));
    in.get<std::uint32_t>();
    in.text();
    in.list();
    EXPECT_EQ(in.ok(), size == bytes.size());
  }
  Reader lies(std::string_view("\xff\xff\xff\xff", 4));
  EXPECT_TRUE(lies.list().empty() || !lies.ok());
}

TEST(Wire, An_order_comes_out_as_it_went_in) {
  StartOrder order;
  order.hold = Hold::kProgram;
  order.hostname = "h";
  order.memory_bytes = 1ull << 40;
  order.listeners = {{"runtime", "127.0.0.1", 9001}};
  order.targets = {"/var/task", "/opt"};
  order.argv = {"/bin/x", ""};
  order.environment = {"A=1"};
  Writer out;
  order.encode(out);
  Reader in(out.bytes());
  const StartOrder back = StartOrder::decode(in);
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.rest().empty());
  EXPECT_EQ(back.hold, Hold::kProgram);
  EXPECT_EQ(back.memory_bytes, 1ull << 40);
  EXPECT_EQ(back.listeners.at(0).port, 9001);
  EXPECT_EQ(back.targets, order.targets);
  EXPECT_EQ(back.argv, order.argv);
}

TEST(Channel, Packets_small_and_large_with_descriptors) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd a(ends[0]);
  UniqueFd b(ends[1]);
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const std::size_t size :
       {std::size_t(0), std::size_t(10), kInline, kInline + 1, std::size_t(3'000'000)}) {
    const std::string sent(size, 'x');
    const int fds[] = {null.get(), null.get()};
    ASSERT_EQ(send_packet(a.get(), sent, fds), 0);
    Packet packet;
    ASSERT_EQ(receive_packet(b.get(), packet), Received::kPacket);
    EXPECT_EQ(packet.bytes, sent);
    EXPECT_EQ(packet.fds.size(), 2u);
  }
  Packet packet;
  EXPECT_EQ(receive_packet(b.get(), packet, MSG_DONTWAIT), Received::kNothing);
  EXPECT_EQ(send_packet(a.get(), std::string(kMaxPacket + 1, 'x')), EMSGSIZE);
  b.reset();
  EXPECT_EQ(receive_packet(a.get(), packet), Received::kEnd);
  EXPECT_EQ(send_packet(a.get(), "x"), EPIPE);
}

// A folder with the files of a v2 group; what is written is read back.
struct V2Folder {
  std::string path = temporary_folder();
  V2Folder() {
    for (const char* name :
         {"memory.max", "memory.swap.max", "cpu.max", "pids.max", "cgroup.freeze", "memory.peak"})
      EXPECT_TRUE(make_file(str(path, '/', name), "").has_value());
  }
  ~V2Folder() { remove_tree(path); }
  void put(const char* name, std::string_view text) {
    EXPECT_TRUE(make_file(str(path, '/', name), text).has_value());
  }
  std::string get(const char* name) { return read_small_file(str(path, '/', name)); }
};

TEST(Cgroup, Version_2_files_are_written_in_their_own_form) {
  V2Folder folder;
  const CgroupPaths group = v2_paths(folder.path);
  ASSERT_TRUE(limit_memory(group, 134217728).has_value());
  ASSERT_TRUE(limit_cpu(group, 250).has_value());
  ASSERT_TRUE(limit_processes(group, 1025).has_value());
  EXPECT_EQ(folder.get("memory.max"), "134217728");
  EXPECT_EQ(folder.get("memory.swap.max"), "0");
  EXPECT_EQ(folder.get("cpu.max"), "25000 100000");
  EXPECT_EQ(folder.get("pids.max"), "1025");
  EXPECT_EQ(freeze_cgroup(group), 0);
  EXPECT_EQ(folder.get("cgroup.freeze"), "1");
  folder.put("cgroup.events", "populated 1\nfrozen 0\n");
  EXPECT_FALSE(frozen_cgroup(group));
  folder.put("cgroup.events", "populated 1\nfrozen 1\n");
  EXPECT_TRUE(frozen_cgroup(group));
}

TEST(Cgroup, Version_2_usage_peak_and_oom_kills_are_read) {
  V2Folder folder;
  folder.put("memory.current", "1000\n");
  folder.put("memory.peak", "2000\n");
  folder.put("cpu.stat", "usage_usec 123456\nuser_usec 1\n");
  folder.put("memory.events", "low 0\noom 2\noom_kill 1\noom_group_kill 0\n");
  const CgroupPaths group = v2_paths(folder.path);
  const Usage usage = cgroup_usage(group);
  EXPECT_EQ(usage.memory_bytes, 1000u);
  EXPECT_EQ(usage.memory_peak_bytes, 2000u);
  EXPECT_EQ(usage.cpu, Duration(123456));
  EXPECT_EQ(oom_kills(group), 1u);
}

TEST(Cgroup, A_limit_that_is_refused_is_an_error) {
  EXPECT_FALSE(limit_memory(v2_paths("/no/such/folder"), 1).has_value());
  EXPECT_FALSE(limit_cpu(v2_paths("/no/such/folder"), 1).has_value());
  EXPECT_TRUE(limit_memory(CgroupPaths(), 1).has_value())
      << "no controller: said once in the capabilities";
}

}  // namespace
}  // namespace pileus::sandbox
