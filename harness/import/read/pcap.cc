// What tcpdump and Wireshark capture: pcap and pcapng, read by libpcap.
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "import/read/overheard.h"
#include "import/read/packet.h"
#include "import/read/tcp.h"

namespace mailproof::imports {
namespace {

constexpr std::array<std::uint16_t, 9> kMailPorts{24, 25, 110, 143, 465, 587, 993, 995, 2525};

bool is_mail_port(std::uint16_t port) {
  return std::find(kMailPorts.begin(), kMailPorts.end(), port) != kMailPorts.end();
}

struct Connection {
  Overheard heard;
  std::string client;  ///< address and port
  TcpDirection from_client, from_server;
  bool over = false;
};

class Capture {
 public:
  explicit Capture(std::string path) : path_(std::move(path)) {}

  void take(const Segment& segment, ClockTime at) {
    Connection* connection = find(segment);
    if (connection == nullptr || connection->over) return;
    const bool client = segment.from == connection->client;
    TcpDirection& here = client ? connection->from_client : connection->from_server;
    TcpDirection& there = client ? connection->from_server : connection->from_client;
    if (segment.syn) {
      here.begin(segment.sequence);
      return;
    }
    if (segment.cut) return gap(*connection, at, "the capture has only the beginning of a packet (tcpdump -s0)");
    std::string octets = here.segment(segment.sequence, segment.octets);
    if (!octets.empty())
      connection->heard.pieces.push_back(
          {client ? Piece::Kind::client : Piece::Kind::server, at, std::move(octets), false});
    if (segment.ack) there.acknowledged(segment.acknowledged);
    if (here.lost() || there.lost()) return gap(*connection, at, "packets are missing in the capture");
    if (!segment.fin && !segment.reset) return;
    if (here.waiting()) return gap(*connection, at, "packets are missing in the capture");
    connection->heard.pieces.push_back({Piece::Kind::end, at, "", !client});
    connection->over = true;
  }

  std::vector<Overheard> finish() {
    std::vector<Overheard> out;
    for (auto& connection : all_)
      if (recognise(connection->heard)) out.push_back(std::move(connection->heard));
    return out;
  }

 private:
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
    const ClockTime at = std::chrono::seconds(header->ts.tv_sec) + ClockTime(header->ts.tv_usec);
    const std::string_view frame(reinterpret_cast<const char*>(octets), header->caplen);
    if (const auto segment = read_frame(link_type, frame)) capture.take(*segment, at);
  }
  if (status == PCAP_ERROR) return Error{path, fmt::format("expected a whole capture: {}", pcap_geterr(file.get()))};
  return capture.finish();
}

}  // namespace mailproof::imports
