#include "scenario/plan/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/names.h"
#include "core/units.h"
#include "scenario/parse.h"
#include "scenario/plan/values.h"
#include "scenario/yaml/fields.h"
#include "scenario/yaml/files.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;

constexpr Word<Ask> kImapAsks[] = {{"id", Ask::id},
                                   {"enable", Ask::enable},
                                   {"list", Ask::list},
                                   {"lsub", Ask::lsub},
                                   {"status", Ask::status},
                                   {"select", Ask::select},
                                   {"examine", Ask::examine},
                                   {"unselect", Ask::unselect},
                                   {"noop", Ask::noop},
                                   {"check", Ask::check},
                                   {"search", Ask::search},
                                   {"quota", Ask::quota},
                                   {"myrights", Ask::my_rights},
                                   {"fetch", Ask::fetch},
                                   {"store", Ask::store},
                                   {"capability", Ask::capability},
                                   {"namespace", Ask::name_space},
                                   {"close", Ask::close}};
constexpr Word<Ask> kPop3Asks[] = {{"stat", Ask::stat}, {"list", Ask::pop_list},
                                   {"uidl", Ask::uidl}, {"top", Ask::top},
                                   {"retr", Ask::retr}, {"dele", Ask::dele},
                                   {"noop", Ask::noop}, {"last", Ask::last},
                                   {"each", Ask::each}, {"end_if_empty", Ask::end_if_empty}};
constexpr Word<Removal> kRemovals[] = {{"expunge", Removal::expunge},
                                       {"expunge-all", Removal::expunge_all},
                                       {"trash", Removal::trash},
                                       {"flag", Removal::flag}};
constexpr Word<CapabilityAsks> kCapabilityAsks[] = {
    {"usual", CapabilityAsks::usual}, {"before-login", CapabilityAsks::before_login}, {"never", CapabilityAsks::never}};
enum class By : std::uint8_t { said, uid, number };
constexpr Word<By> kNumbersBy[] = {{"uid", By::uid}, {"number", By::number}};
constexpr Word<ProfileStep::When> kStepWhen[] = {{"always", ProfileStep::When::always},
                                                 {"changed", ProfileStep::When::changed},
                                                 {"told", ProfileStep::When::told},
                                                 {"new", ProfileStep::When::fresh}};
enum class Then : std::uint8_t { nothing, read, list };
constexpr Word<Then> kSearchThen[] = {{"nothing", Then::nothing}, {"read", Then::read}, {"list", Then::list}};
constexpr Word<bool> kActsWhen[] = {{"at-once", false}, {"at-poll", true}};
constexpr Word<bool> kSpeaks[] = {{"imap", false}, {"pop3", true}};
const std::vector<std::string> kSets = {"all", "new", "first new", "listed", "known", "unread", "newest 25"};
constexpr std::uint64_t kMostTopLines = 99'999'999;  ///< of TOP, as fetchmail asks for
constexpr std::string_view kStep = "a step like {fetch: (FLAGS), of: all}";

class ProfileReader {
 public:
  ProfileReader(const Node& root, Complaints& complaints, Profile& out)
      : root_(root), complaints_(complaints), out_(out) {}

  void run() {
    require_keys(root_, {"profile", "title", "speaks", "connection"}, complaints_);
    if (const Node* node = find(root_, "profile")) out_.name = read_text(*node, "its name", complaints_).value_or("");
    if (const Node* node = find(root_, "title"))
      out_.title = read_text(*node, "which client it is", complaints_).value_or("");
    if (const Node* node = find(root_, "speaks")) pop3_ = read_word(*node, kSpeaks, complaints_).value_or(false);
    out_.protocol = pop3_ ? Protocol::pop3 : Protocol::imap;
    std::vector<std::string> keys = {"profile", "title", "why", "speaks", "connection", "login", "poll", "send"};
    if (pop3_) {
      keys.emplace_back("after_download");
    } else {
      keys.insert(keys.end(), {"news", "idle", "read", "delete", "leave", "beside"});
    }
    check_keys(root_, keys, complaints_);
    for (const Node& section : root_.children) read(section);
    if (beside_ != nullptr) beside(*beside_);
    if (!complaints_.empty()) return;
    if (!pop3_ && !out_.idle && out_.every == Duration{})
      complaints_.at(root_.pos, root_.children.front().key, "also idle: or poll:, by which it learns of new mail");
    if (pop3_ && out_.every == Duration{})
      complaints_.at(root_.pos, root_.children.front().key, "also poll: with every:, as POP3 has no other way");
  }

 private:
  void read(const Node& section) {
    const std::string& key = section.key;
    if (key == "connection") return connection(section);
    if (key == "login") return steps(section, out_.login);
    if (key == "news" && !pop3_) return steps(section, out_.news);
    if (key == "poll") return poll(section);
    if (key == "send") return sending(section);
    if (key == "idle" && !pop3_) return idle(section);
    if (key == "read" && !pop3_) return reading(section);
    if (key == "delete" && !pop3_) return removing(section);
    if (key == "leave" && !pop3_) return leaving(section);
    if (key == "beside" && !pop3_) beside_ = &section;  // it is as the rest says
    if (key == "after_download" && pop3_) return policy(section);
  }

  /// Every section says where its facts are from; an honest "from memory" is a source, too.
  bool section(const Node& node, std::vector<std::string> keys) {
    if (!is_map(node, "keys, and source: where this is known from", complaints_)) return false;
    keys.emplace_back("source");
    check_keys(node, keys, complaints_);
    const Node* source = find(node, "source");
    if (source == nullptr) {
      complaints_.at(node.key_pos, node.key, "also source:, where this is known from; 'from memory' where it is");
    } else if (const auto text = read_text(*source, "where this is known from", complaints_)) {
      out_.sources.push_back(fmt::format("{}: {}", node.key, *text));
    }
    return true;
  }

  void connection(const Node& node) {
    std::vector<std::string> keys = {"stays", "tls", "resume_tls", "mechanism", "retry", "capabilities"};
    if (!pop3_) keys.emplace_back("acts");
    if (!section(node, keys)) return;
    if (const Node* stays = find(node, "stays")) out_.stays = read_flag(*stays, complaints_).value_or(false);
    if (const Node* tls = find(node, "tls")) out_.tls = read_word(*tls, kTlsModes, complaints_);
    if (const Node* resume = find(node, "resume_tls"))
      out_.resume_tls = read_flag(*resume, complaints_).value_or(false);
    if (const Node* how = find(node, "mechanism")) {
      constexpr std::string_view kWhat = "LOGIN, USER, PLAIN or another SASL mechanism, or a list of them";
      for (const Node* one :
           how->kind == Node::Kind::scalar ? std::vector<const Node*>{how} : read_list(*how, kWhat, complaints_))
        if (const auto text = read_text(*one, kWhat, complaints_)) out_.mechanisms.push_back(*text);
    }
    if (const Node* when = find(node, "capabilities"))
      out_.capabilities = read_word(*when, kCapabilityAsks, complaints_).value_or(out_.capabilities);
    if (!pop3_ && out_.capabilities == CapabilityAsks::never)
      complaints_.at(node.pos, "never", "usual or before-login: IMAP cannot do without");
    if (const Node* acts = find(node, "acts")) out_.at_poll = read_word(*acts, kActsWhen, complaints_).value_or(false);
    if (const Node* retry = find(node, "retry")) out_.retry = read_duration(*retry, complaints_).value_or(out_.retry);
  }

  void poll(const Node& node) {
    if (!section(node, {"every", "jitter", "steps"})) return;
    if (const Node* every = find(node, "every")) out_.every = read_duration(*every, complaints_).value_or(Duration{});
    if (const Node* jitter = find(node, "jitter")) out_.jitter = read_part(*jitter, 1, complaints_).value_or(0);
    if (const Node* list = find(node, "steps")) read_steps(*list, out_.poll);
  }

  void sending(const Node& node) {
    std::vector<std::string> keys = {"every", "jitter", "size"};
    if (!pop3_) keys.emplace_back("save_to");
    if (!section(node, keys)) return;
    Letters& out = out_.send.emplace();
    if (const Node* every = find(node, "every")) out.every = read_duration(*every, complaints_).value_or(Duration{});
    if (out.every <= Duration{}) complaints_.at(node.key_pos, node.key, "also every:, how often its owner writes");
    if (const Node* jitter = find(node, "jitter")) out.jitter = read_part(*jitter, 1, complaints_).value_or(0);
    out.least = out.most = 4096;
    if (const Node* size = find(node, "size")) out.least = out.most = read_size(*size, complaints_).value_or(4096);
    if (const Node* box = find(node, "save_to")) {
      out.save_to = read_text(*box, "a mailbox, as Sent", complaints_).value_or("");
      if (out.save_to == "INBOX" || out.save_to == "Trash")
        complaints_.value(*box, "a mailbox of its own for what was sent, as Sent");
    }
  }

  void idle(const Node& node) {
    if (!section(node, {"refresh"})) return;
    out_.idle = std::chrono::minutes(29);  // RFC 2177: at least every 29 minutes
    if (const Node* refresh = find(node, "refresh"))
      out_.idle = read_duration(*refresh, complaints_).value_or(*out_.idle);
  }

  void reading(const Node& node) {
    if (!section(node, {"share", "after", "steps"})) return;
    habit(node, out_.read);
    if (const Node* list = find(node, "steps")) read_steps(*list, out_.reading, true);
  }

  void removing(const Node& node) {
    if (!section(node, {"share", "after", "how"})) return;
    habit(node, out_.remove);
    if (const Node* how = find(node, "how")) out_.how = read_word(*how, kRemovals, complaints_).value_or(out_.how);
  }

  void leaving(const Node& node) {
    if (!section(node, {"steps", "logout"})) return;
    if (const Node* list = find(node, "steps")) read_steps(*list, out_.leaving);
    if (const Node* logout = find(node, "logout")) out_.logout = read_flag(*logout, complaints_).value_or(true);
  }

  /// Connections that the client keeps beside the one that the rest of the file is about.
  void beside(const Node& node) {
    if (!section(node, {"steps", "connections"})) return;
    Profile one;
    one.name = out_.name;
    one.title = out_.title;
    one.stays = out_.stays;
    one.mechanisms = out_.mechanisms;
    one.capabilities = out_.capabilities;
    one.tls = out_.tls;
    one.resume_tls = out_.resume_tls;
    one.retry = out_.retry;
    one.leaving = out_.leaving;
    one.logout = out_.logout;
    if (!one.stays) complaints_.at(node.key_pos, node.key, "a client whose connection stays; this one's ends");
    if (const Node* list = find(node, "steps")) read_steps(*list, one.login);
    std::uint64_t count = 1;
    if (const Node* many = find(node, "connections"))
      count = static_cast<std::uint64_t>(read_number(*many, 1, 10, "connections", complaints_).value_or(1));
    out_.beside.assign(count, one);
  }

  void habit(const Node& node, Habit& out) {
    if (const Node* share = find(node, "share")) out.share = read_part(*share, 1, complaints_).value_or(0);
    if (const Node* after = find(node, "after")) out.after = read_span(*after, complaints_).value_or(Span{});
  }

  void policy(const Node& node) {
    if (!section(node, {"then"})) return;
    if (const Node* then = find(node, "then"))
      out_.after = read_after_download(*then, complaints_).value_or(out_.after);
  }

  void steps(const Node& node, std::vector<ProfileStep>& out) {
    if (!section(node, {"steps"})) return;
    const Node* list = find(node, "steps");
    if (list == nullptr) return complaints_.at(node.key_pos, node.key, "also steps:, a list");
    read_steps(*list, out);
  }

  void read_steps(const Node& list, std::vector<ProfileStep>& out, bool one = false) {
    for (const Node* entry : read_list(list, kStep, complaints_))
      if (const auto step = read_step(*entry, one)) out.push_back(*step);
  }

  std::optional<ProfileStep> read_step(const Node& node, bool one) {
    ProfileStep step;
    step.of = one ? Of::one : Of::fresh;
    const auto words = pop3_ ? words_of(kPop3Asks) : words_of(kImapAsks);
    const Node* verb = &node;
    if (node.kind == Node::Kind::map) {
      verb = nullptr;
      for (const Node& child : node.children)
        if (std::find(words.begin(), words.end(), child.key) != words.end()) {
          verb = &child;
          break;
        }
      if (verb == nullptr) {
        complaints_.key(node.children.front(), either(words), words);
        return std::nullopt;
      }
    }
    const std::string& word = verb == &node ? node.text : verb->key;
    const auto found = pop3_ ? meaning(kPop3Asks, word) : meaning(kImapAsks, word);
    if (!found) {
      complaints_.value(node, either(words), words);
      return std::nullopt;
    }
    step.ask = *found;
    if (verb == &node && (step.ask == Ask::list || step.ask == Ask::lsub)) step.text = "*";
    if (step.ask == Ask::each) return read_each(node, *verb, one);
    const bool sets = step.ask == Ask::fetch || step.ask == Ask::store || step.ask == Ask::top || step.ask == Ask::retr;
    if (verb != &node) {
      std::vector<std::string> keys = {word, "source"};
      if (!pop3_) keys.insert(keys.end(), {"needs", "lacks", "when"});
      if (step.ask == Ask::fetch) keys.insert(keys.end(), {"singly", "by"});
      if (step.ask == Ask::search) keys.insert(keys.end(), {"then", "of"});
      if (step.ask == Ask::list) keys.insert(keys.end(), {"subscribed", "returns"});
      if (step.ask == Ask::store) keys.emplace_back("silent");
      if (sets && step.ask != Ask::retr && step.ask != Ask::top) keys.emplace_back("of");
      if (step.ask == Ask::retr) keys.emplace_back("dele");
      if (step.ask == Ask::top) keys.emplace_back("lines");
      check_keys(node, keys, complaints_);
      if (verb->kind == Node::Kind::scalar && verb->text != "yes") step.text = verb->text;
      if (const Node* of = find(node, "of")) read_of(*of, step);
      if (const Node* dele = find(node, "dele")) step.dele = read_flag(*dele, complaints_).value_or(false);
      if (const Node* lines = find(node, "lines"))
        step.count =
            static_cast<std::uint32_t>(read_number(*lines, 0, kMostTopLines, "lines", complaints_).value_or(0));
      if (const Node* needs = find(node, "needs"))
        step.needs = read_text(*needs, "a capability, as the server names it", complaints_).value_or("");
      if (const Node* lacks = find(node, "lacks"))
        step.lacks = read_text(*lacks, "a capability, as the server names it", complaints_).value_or("");
      if (const Node* subscribed = find(node, "subscribed"))
        step.subscribed = read_flag(*subscribed, complaints_).value_or(false);
      if (const Node* returns = find(node, "returns"))
        step.returns = read_text(*returns, "what LIST-EXTENDED returns, as (SPECIAL-USE)", complaints_).value_or("");
      if (const Node* when = find(node, "when"))
        step.when = read_word(*when, kStepWhen, complaints_).value_or(step.when);
      if (const Node* silent = find(node, "silent")) step.silent = read_flag(*silent, complaints_).value_or(true);
      if (const Node* singly = find(node, "singly")) step.singly = read_flag(*singly, complaints_).value_or(false);
      if (const Node* by = find(node, "by")) {
        const By how = read_word(*by, kNumbersBy, complaints_).value_or(By::said);
        step.by_number = how == By::number;
        step.by_uid = how == By::uid && step.of == Of::newest;
      }
      if (const Node* then = find(node, "then")) {
        const Then what = read_word(*then, kSearchThen, complaints_).value_or(Then::nothing);
        step.then_read = what == Then::read;
        step.then_list = what == Then::list;
      }
    }
    if (step.ask == Ask::search && step.of != Of::fresh && step.of != Of::newest)
      complaints_.value(node, "of: newest N, where a search is not of all");
    if ((step.subscribed || !step.returns.empty()) && step.needs.empty()) step.needs = "LIST-EXTENDED";
    if (step.singly && step.of != Of::unread) complaints_.value(node, "of: unread, where it says singly");
    if (step.by_number && step.of != Of::fresh) complaints_.value(node, "of: new, where it says by: number");
    if (step.ask == Ask::enable && step.needs.empty()) step.needs = step.text;
    if (step.ask == Ask::retr || step.ask == Ask::top) {
      if (!step.text.empty() && step.text != "new" && step.text != "all") complaints_.value(*verb, "new or all", kSets);
      step.of = step.text == "all" ? Of::all : Of::fresh;
      step.text.clear();
    }
    const bool needs_text = step.ask == Ask::fetch || step.ask == Ask::store || step.ask == Ask::select ||
                            step.ask == Ask::examine || step.ask == Ask::search || step.ask == Ask::enable;
    if (needs_text && step.text.empty()) complaints_.value(*verb, fmt::format("something behind {}:", word));
    if (step.ask == Ask::fetch && !step.text.empty() && step.text.front() != '(' &&
        step.text.find(' ') != std::string::npos)
      complaints_.value(*verb, "items in parentheses: (UID FLAGS)");
    if (step.text.find_first_of("\r\n") != std::string::npos) complaints_.value(*verb, "one line");
    return step;
  }

  /// {each: new, steps: [list, retr, dele]}: what is asked of one message after the other.
  std::optional<ProfileStep> read_each(const Node& node, const Node& verb, bool one) {
    ProfileStep step;
    step.ask = Ask::each;
    check_keys(node, {"each", "steps", "source"}, complaints_);
    if (verb.text != "new" && verb.text != "all") complaints_.value(verb, "new or all", kSets);
    step.of = verb.text == "all" ? Of::all : Of::fresh;
    const Node* list = node.kind == Node::Kind::map ? find(node, "steps") : nullptr;
    if (list == nullptr) {
      complaints_.at(node.pos, node.key, "also steps:, what is asked of each message");
      return std::nullopt;
    }
    read_steps(*list, step.steps, one);
    for (const ProfileStep& part : step.steps)
      if (part.ask != Ask::pop_list && part.ask != Ask::uidl && part.ask != Ask::top && part.ask != Ask::retr &&
          part.ask != Ask::dele)
        complaints_.value(*list, "list, uidl, top, retr and dele: what POP3 asks of one message");
    return step;
  }

  template <std::size_t N>
  static std::optional<Ask> meaning(const Word<Ask> (&table)[N], const std::string& word) {
    for (const auto& entry : table)
      if (entry.word == word) return entry.meaning;
    return std::nullopt;
  }

  /// new, all, unread or newest N.
  void read_of(const Node& node, ProfileStep& step) {
    const std::string& text = node.text;
    if (text == "all") {
      step.of = Of::all;
    } else if (text == "new") {
      step.of = Of::fresh;
    } else if (text == "unread") {
      step.of = Of::unread;
    } else if (text == "listed") {
      step.of = Of::listed;
    } else if (text == "first new") {
      step.of = Of::first_new;
    } else if (text == "known") {
      step.of = Of::known;
    } else if (text.starts_with("newest ")) {
      const char* from = text.data() + 7;
      const auto [end, error] = std::from_chars(from, text.data() + text.size(), step.count);
      step.of = Of::newest;
      if (error != std::errc{} || end != text.data() + text.size() || step.count == 0)
        complaints_.value(node, "a number behind newest");
    } else {
      complaints_.value(node, "all, new, first new, listed, known, unread or newest N", kSets);
    }
  }

  const Node& root_;
  Complaints& complaints_;
  Profile& out_;
  bool pop3_ = false;
  const Node* beside_ = nullptr;
};

}  // namespace

bool Profile::asks_namespace() const {
  return std::any_of(login.begin(), login.end(), [](const auto& step) { return step.ask == Ask::name_space; });
}

LoadedProfile parse_profile(std::string_view text, const std::string& file) {
  LoadedProfile out;
  out.profile.path = file;
  Complaints complaints(file);
  if (const auto root = parse_root(text, "a device profile: profile, title, speaks, connection", complaints))
    ProfileReader(*root, complaints, out.profile).run();
  out.problems = complaints.take();
  return out;
}

LoadedProfile load_profile(const std::string& path) {
  const auto text = read_file(path, kMaxFile);
  if (text) return parse_profile(*text, path);
  LoadedProfile out;
  out.problems.push_back({path, {}, path, text.error().why, ""});
  return out;
}

bool is_profile(std::string_view text) { return has_top_key(text, "profile"); }

std::string folder_of_profiles(const std::string& file, const std::string& root) {
  if (!root.empty()) return root;
  for (fs::path folder = fs::path(file).parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (!profile_names(folder.string()).empty()) return folder.string();
    if (folder == folder.parent_path()) break;
  }
  return "scenarios";
}

std::string profile_path(const std::string& root, const std::string& name) {
  return fmt::format("{}/devices/{}.yaml", root, name);
}

std::vector<std::string> profile_names(const std::string& root) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(fs::path(root) / "devices", error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".yaml") out.push_back(at->path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace mailproof::scenario
