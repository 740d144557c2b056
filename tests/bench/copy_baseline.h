// The least that it costs PostgreSQL to take a ledger: the rows that settlement wrote, all tables,
// by plain COPY into an empty database with the same schema, in as many transactions. Nothing is
// computed, looked up or changed again. Straight through libpq.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace warpbook::bench {

class CopyBaseline {
 public:
  // Reads the rows of a database that settlement has written.
  explicit CopyBaseline(const std::string& conninfo);

  // Writes them in so many transactions; seconds.
  double Time(const std::string& conninfo, uint64_t transactions) const;

 private:
  struct Table {
    std::string name;
    std::string text;          // as COPY writes it
    std::vector<size_t> ends;  // of each row in it
  };
  std::vector<Table> tables_;
  int64_t last_event_ = 0;
};

// The least that a commit costs it: of an UPDATE of the one row of a table, which lives as long as
// this.
class OneRowCommits {
 public:
  explicit OneRowCommits(const std::string& conninfo);
  ~OneRowCommits();
  std::chrono::nanoseconds Time();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::bench
