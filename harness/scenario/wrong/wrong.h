#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/wrong_dialogue.h"
#include "scenario/scenario.h"

namespace mailproof::scenario {

/// One server that a check must refuse: the built-in server with a switch on, or with a dialogue in front.
struct WrongServer {
  std::string defect, latitude;  ///< one of them, or none
  std::string test;              ///< where else it is shown: what the simulation cannot do
  WrongDialogue dialogue;        ///< when there is no switch
  std::string told;              ///< in one line, for people
  Pos pos;
};

/// The wrong servers of one check.
struct WrongServers {
  std::string check;  ///< id within its file
  Pos pos;
  std::vector<WrongServer> servers;
};

/// What makes the built-in server have what a check needs.
struct RightServer {
  std::string check;
  Pos pos;
  WrongDialogue dialogue;
};

/// A file beside a conformance file: 1939-5.wrong.yaml beside 1939-5.yaml. Beside a story: its id is the story's, and
/// what stands there is about a check with an empty id.
struct WrongFile {
  std::string file;  ///< the id of the conformance file; the checks' full ids are this, a dot, and theirs
  std::string path;
  Pos pos;
  std::vector<WrongServers> checks;
  std::vector<RightServer> right;
  std::vector<WrongServers> permitted;  ///< unusual, and allowed by the RFC: the check must not accuse them
};

bool is_wrong_file(std::string_view path);  ///< *.wrong.yaml
/// The file whose checks a wrong-file is about.
std::string checks_beside(std::string_view wrong_file);

struct LoadedWrong {
  std::vector<WrongFile> files;
  std::vector<Problem> problems;
};
/// Nothing in `files` for a text with problems.
LoadedWrong parse_wrong(std::string_view text, const std::string& name);
/// The wrong-files below folders, named, or beside the files named, each once.
LoadedWrong load_wrong(const std::vector<std::string>& paths);

}  // namespace mailproof::scenario
