// What tcpdump and Wireshark capture: pcap and pcapng, read by libpcap.
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "import/read/overheard.h"
#include "import/read/packet.h"
#include "import/read/tcp.h"

namespace mailproof::imports {
namespace {

constexpr std::array<std::uint16_t, 9> kMailPorts{24, 25, 110, 143, 465, 587, 993, 995, 2525};

bool is_mail_port(std::uint16_t port) {
  return std::find(kMailPorts.begin(), kMailPorts.end(), port) != kMailPorts.end();
}

/// Captured earlier than what its sender answers: held until that comes.
struct Held {
  ClockTime at{};
  Segment segment;
  std::string octets;  ///< the segment points to them
};

struct Connection {
  Overheard heard;
  std::string client;  ///< address and port
  TcpDirection from_client, from_server;
  std::deque<Held> held;
  bool client_done = false, server_done = false;  ///< FIN
  std::optional<bool> by_server;                  ///< the first
  bool begun = false;                             ///< a SYN: what was said first, was said first
  bool over = false;
};

constexpr std::size_t kMostHeld = 64;
constexpr const char* kMissing = "packets are missing in the capture";

class Capture {
 public:
  explicit Capture(std::string path) : path_(std::move(path)) {}

  void take(const Segment& segment, ClockTime at) {
    Connection* connection = find(segment);
    if (connection == nullptr || connection->over) return;
    if (segment.syn) {
      connection->begun = true;
      return direction(*connection, segment).begin(segment.sequence);
    }
    if (segment.cut) return gap(*connection, at, "the capture has only the beginning of a packet (tcpdump -s0)");
    Held& held = connection->held.emplace_back(Held{at, segment, std::string(segment.octets)});
    held.segment.octets = held.octets;
    while (!connection->over && let_go(*connection)) continue;
    if (connection->held.size() > kMostHeld) gap(*connection, at, kMissing);
  }

  std::vector<Overheard> finish() {
    std::vector<Overheard> out;
    for (auto& connection : all_) {
      if (!connection->over && !connection->held.empty())
        gap(*connection, connection->held.back().at, kMissing);
      else if (!connection->over && connection->by_server && !connection->heard.pieces.empty())
        end(*connection, connection->heard.pieces.back().at, *connection->by_server);  // the other FIN was not captured
      if (!recognise(connection->heard)) continue;
      if (!connection->begun) connection->heard.about.begin = Begin::middle;
      out.push_back(std::move(connection->heard));
    }
    return out;
  }

 private:
  static bool by_client(const Connection& connection, const Segment& segment) {
    return segment.from == connection.client;
  }
  static TcpDirection& direction(Connection& connection, const Segment& segment) {
    return by_client(connection, segment) ? connection.from_client : connection.from_server;
  }

  /// Reads the first of what is held that may be read; false = none may be.
  static bool let_go(Connection& connection) {
    for (auto held = connection.held.begin(); held != connection.held.end(); ++held) {
      const Segment& segment = held->segment;
      const bool client = by_client(connection, segment);
      const TcpDirection& here = client ? connection.from_client : connection.from_server;
      const TcpDirection& there = client ? connection.from_server : connection.from_client;
      const bool answers = !segment.ack || there.has_all_before(segment.acknowledged);
      if (!answers || !here.has_all_before(segment.sequence)) continue;
      const Held now = std::move(*held);
      connection.held.erase(held);
      read(connection, now, client);
      return true;
    }
    return false;
  }

  static void read(Connection& connection, const Held& held, bool client) {
    TcpDirection& here = client ? connection.from_client : connection.from_server;
    std::string octets = here.segment(held.segment.sequence, held.octets);
    auto& pieces = connection.heard.pieces;
    if (!octets.empty())
      pieces.push_back({client ? Piece::Kind::client : Piece::Kind::server, held.at, std::move(octets), false});
    // FIN: no more comes from there (RFC 9293 section 3.6). What the other end answers to what came before is still to
    // be read.
    bool& done = client ? connection.client_done : connection.server_done;
    if (held.segment.fin && !std::exchange(done, true)) here.finish();
    if (held.segment.fin && !connection.by_server) connection.by_server = !client;
    if (held.segment.reset || (connection.client_done && connection.server_done))
      end(connection, held.at, connection.by_server.value_or(!client));
  }

  static void end(Connection& connection, ClockTime at, bool by_server) {
    connection.heard.pieces.push_back({Piece::Kind::end, at, "", by_server});
    connection.over = true;
  }

  static void gap(Connection& connection, ClockTime at, const char* why) {
    connection.heard.pieces.push_back({Piece::Kind::gap, at, why, false});
    connection.over = true;
  }

  Connection* find(const Segment& segment) {
    const auto key = std::minmax(segment.from, segment.to);
    Connection*& known = open_[{key.first, key.second}];
    const bool asks = segment.syn && !segment.ack;
    if (known != nullptr && !(asks && !known->heard.pieces.empty())) return known;
    if (segment.octets.empty() && !segment.syn) return known;
    all_.push_back(std::make_unique<Connection>());
    known = all_.back().get();
    // Who asks for the connection is the client; where that was not captured, whoever has not the server's port.
    const bool from_client = segment.syn ? !segment.ack
                                         : is_mail_port(segment.to_port) || (!is_mail_port(segment.from_port) &&
                                                                             segment.to_port < segment.from_port);
    known->client = from_client ? segment.from : segment.to;
    known->heard.file = path_;
    known->heard.about.server = from_client ? segment.to : segment.from;
    known->heard.about.realm = known->heard.about.server.substr(0, known->heard.about.server.rfind(':'));
    known->heard.about.client = known->client.substr(0, known->client.rfind(':'));
    return known;
  }

  std::string path_;
  std::vector<std::unique_ptr<Connection>> all_;
  std::map<std::pair<std::string, std::string>, Connection*> open_;
};

}  // namespace

Result<std::vector<Overheard>> read_capture(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> trouble{};
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> file(
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, trouble.data()), pcap_close);
  if (!file) return Error{path, fmt::format("expected a capture: {}", trouble.data())};
  const int link_type = pcap_datalink(file.get());
  if (!known_link_type(link_type))
    return Error{path,
                 fmt::format("expected a capture of Ethernet, of Linux's \"any\", of a loopback or of raw IP, and "
                             "it is one of {}",
                             pcap_datalink_val_to_name(link_type) == nullptr ? std::to_string(link_type)
                                                                             : pcap_datalink_val_to_name(link_type))};
  Capture capture(path);
  pcap_pkthdr* header = nullptr;
  const unsigned char* octets = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(file.get(), &header, &octets)) == 1) {
    const auto second = clock_time(header->ts.tv_sec);
    if (!second)
      return Error{path, fmt::format("expected packets of the years 1970 to 2199, and one is stamped {} s after 1970",
                                     static_cast<std::int64_t>(header->ts.tv_sec))};
    const ClockTime at = *second + ClockTime(header->ts.tv_usec);
    const std::string_view frame(reinterpret_cast<const char*>(octets), header->caplen);
    if (const auto segment = read_frame(link_type, frame)) capture.take(*segment, at);
  }
  if (status == PCAP_ERROR) return Error{path, fmt::format("expected a whole capture: {}", pcap_geterr(file.get()))};
  return capture.finish();
}

}  // namespace mailproof::imports
