#include "clip/embedding_cache.h"

#include <sqlite3.h>

#include <cstring>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

constexpr int kPatienceMs = 10'000;  // to wait for other processes that write

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS embeddings (tower TEXT, templates TEXT, word TEXT, "
    "embedding BLOB, PRIMARY KEY (tower, templates, word)) WITHOUT ROWID";

struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;

}  // namespace

struct EmbeddingDatabase::Database {
  explicit Database(const std::filesystem::path& path) : name(path.string()) {}
  ~Database() { sqlite3_close(handle); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    const char* reason = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    const bool busy = (code & 0xFF) == SQLITE_BUSY;
    throw failure(name + ": the cache of text embeddings cannot be used: " + reason,
                  busy ? "another process is writing to it; `no_cache` does without"
                       : "`no_cache` does without it; the file may be deleted");
  }
  void run(const char* sql) const { check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr)); }
  Statement prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr));
    return Statement(statement);
  }
  // The text must outlive the statement's next step.
  void bind(const Statement& statement, int index, const std::string& text) const {
    check(sqlite3_bind_text64(statement.get(), index, text.data(), text.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
  }

  std::string name;
  sqlite3* handle = nullptr;
};

EmbeddingDatabase::EmbeddingDatabase(const std::filesystem::path& file)
    : database_(std::make_unique<Database>(file)) {
  create_folders(file.parent_path());
  database_->check(sqlite3_open_v2(file.c_str(), &database_->handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
  sqlite3_busy_timeout(database_->handle, kPatienceMs);
  database_->run(kTable);
}

EmbeddingDatabase::~EmbeddingDatabase() = default;

std::vector<std::optional<std::vector<float>>> EmbeddingDatabase::find(
    const std::string& tower, const std::string& templates, const std::vector<std::string>& words,
    size_t size) const {
  const Statement select = database_->prepare(
      "SELECT embedding FROM embeddings WHERE tower = ? AND templates = ? AND word = ?");
  std::vector<std::optional<std::vector<float>>> found;
  for (const std::string& word : words) {
    database_->bind(select, 1, tower);
    database_->bind(select, 2, templates);
    database_->bind(select, 3, word);
    const int code = sqlite3_step(select.get());
    database_->check(code);
    auto& entry = found.emplace_back();
    const auto bytes = static_cast<size_t>(sqlite3_column_bytes(select.get(), 0));
    if (code == SQLITE_ROW && bytes == size * sizeof(float)) {
      entry.emplace(size);
      std::memcpy(entry->data(), sqlite3_column_blob(select.get(), 0), bytes);
    }
    sqlite3_reset(select.get());
  }
  return found;
}

void EmbeddingDatabase::keep(const std::string& tower, const std::string& templates,
                             const std::vector<std::string>& words, const float* embeddings,
                             size_t size) {
  database_->run("BEGIN IMMEDIATE");
  try {
    const Statement insert =
        database_->prepare("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?)");
    for (size_t i = 0; i < words.size(); ++i) {
      database_->bind(insert, 1, tower);
      database_->bind(insert, 2, templates);
      database_->bind(insert, 3, words[i]);
      database_->check(sqlite3_bind_blob64(insert.get(), 4, embeddings + i * size,
                                           size * sizeof(float), SQLITE_STATIC));
      database_->check(sqlite3_step(insert.get()));
      sqlite3_reset(insert.get());
    }
    database_->run("COMMIT");
  } catch (...) {
    sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace tagclip
