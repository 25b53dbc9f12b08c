#include "nftlink/state/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/folder.hpp"

namespace nftlink::state {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class StoreTest : public testing::Test {
protected:
    // What a new process finds.
    static std::map<std::string, std::string> found(const Folder& folder) {
        return Store(folder / "state").read().texts;
    }
    static void keep(Store& store, const StoredChange& change) {
        ASSERT_TRUE(store.prepare(change));
        ASSERT_TRUE(store.publish());
    }

    Folder folder_;
};

TEST_F(StoreTest, KeepsAndDeletes) {
    {
        Store store(folder_ / "state");
        keep(store, {{"web", "one"}});
        keep(store, {{"web", "two"}});
        keep(store, {{"a", "1"}, {"b", "2"}, {"web", std::nullopt}});
    }
    EXPECT_THAT(found(folder_), ElementsAre(Pair("a", "1"), Pair("b", "2")));
    {
        Store store(folder_ / "state");
        keep(store, {{"a", std::nullopt}});
    }
    EXPECT_THAT(found(folder_), ElementsAre(Pair("b", "2")));
    EXPECT_FALSE(folder_.has("state/pending"));
    EXPECT_FALSE(folder_.has("state/next"));
}

TEST_F(StoreTest, IsForItsOwnerAlone) {
    Store store(folder_ / "state");
    keep(store, {{"web", "secret"}});
    struct stat status{};
    ASSERT_EQ(stat((folder_ / "state").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    ASSERT_EQ(stat(store.file("web").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(StoreTest, WhatIsOnlyPreparedNeverCounts) {
    {
        Store store(folder_ / "state");
        keep(store, {{"web", "old"}});
        ASSERT_TRUE(store.prepare({{"web", "new"}}));
    }
    EXPECT_THAT(found(folder_), ElementsAre(Pair("web", "old")));
    {
        Store store(folder_ / "state");
        ASSERT_TRUE(store.prepare({{"web", "new"}, {"other", "new"}}));
    }
    EXPECT_THAT(found(folder_), ElementsAre(Pair("web", "old")));
    Store store(folder_ / "state");
    ASSERT_TRUE(store.prepare({{"web", "new"}}));
    store.discard();
    EXPECT_THAT(store.read().texts, ElementsAre(Pair("web", "old")));
}

// The process ended while it moved the files of a change to their places.
TEST_F(StoreTest, FinishesAChangeOfSeveralThatWasComplete) {
    for (const bool half_moved : {false, true}) {
        folder_.write("state/containers/gone.yaml", "old");
        folder_.write("state/containers/a.yaml", half_moved ? "new" : "old");
        if (!half_moved)
            folder_.write("state/pending/a.yaml", "new");
        folder_.write("state/pending/b.yaml", "new");
        folder_.write("state/pending/gone.yaml", "");
        EXPECT_THAT(found(folder_), ElementsAre(Pair("a", "new"), Pair("b", "new")));
        EXPECT_FALSE(folder_.has("state/pending"));
    }
}

TEST_F(StoreTest, NamesWhatItCannotRead) {
    std::filesystem::create_directories(folder_ / "state/containers/web.yaml");
    Store store(folder_ / "state");
    const auto contents = store.read();
    EXPECT_THAT(contents.texts, IsEmpty());
    EXPECT_THAT(contents.errors, ElementsAre(HasSubstr("containers/web.yaml")));
}

TEST_F(StoreTest, PassesOverWhatIsNoneOfItsFiles) {
    folder_.write("state/containers/" + std::string(200, 'x') + ".yaml", "damaged");
    folder_.write("state/containers/notes.txt", "mine");
    ASSERT_EQ(mkfifo((folder_ / "state/containers/pipe.yaml").c_str(), 0600), 0);
    std::filesystem::create_directories(folder_ / "state/pending/folder");
    Store store(folder_ / "state");
    EXPECT_THAT(store.read().errors,
                testing::UnorderedElementsAre(HasSubstr("no container can be called so"), HasSubstr("pipe.yaml")));
    keep(store, {{"web", "text"}});
    EXPECT_THAT(store.read().texts, ElementsAre(Pair("web", "text")));
}

// A start deleted every hidden file there.
TEST_F(StoreTest, OfHiddenFilesDraftsAloneGo) {
    folder_.write("state/containers/.web.yaml.new", "unfinished");
    folder_.write("state/containers/.hidden", "mine");
    Store store(folder_ / "state");
    EXPECT_THAT(store.read().texts, IsEmpty());
    EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
    EXPECT_TRUE(folder_.has("state/containers/.hidden"));
}

TEST_F(StoreTest, PutsBackWhatCouldNotBePublished) {
    Store store(folder_ / "state");
    keep(store, {{"web", "old"}});
    ASSERT_TRUE(store.prepare({{"web", "new"}}));
    std::filesystem::remove(folder_ / "state/containers/.web.yaml.new");
    EXPECT_FALSE(store.publish());
    EXPECT_THAT(store.read().texts, ElementsAre(Pair("web", "old")));
}

TEST_F(StoreTest, SetsAsideWithoutLosingAnything) {
    Store store(folder_ / "state");
    for (const std::string text : {"one", "two"}) {
        keep(store, {{"web", text}});
        ASSERT_TRUE(store.set_aside("web"));
    }
    EXPECT_THAT(store.read().texts, IsEmpty());
    EXPECT_EQ(folder_.read("state/containers/web.yaml.set-aside"), "one");
    EXPECT_EQ(folder_.read("state/containers/web.yaml.set-aside.2"), "two");
}

TEST_F(StoreTest, IsOneProcessAtATime) {
    const Store store(folder_ / "state");
    EXPECT_THAT([&] { Store(folder_ / "state"); },
                testing::ThrowsMessage<std::runtime_error>(HasSubstr("in use by another")));
}

TEST_F(StoreTest, SaysWhatIsWrongWithTheDirectory) {
    folder_.write("file", "");
    EXPECT_THAT([&] { Store(folder_ / "file/state"); },
                testing::ThrowsMessage<std::runtime_error>(HasSubstr("file/state: Not a directory")));
}

TEST_F(StoreTest, RefusesWhatTheDiskRefuses) {
    Store store(folder_ / "state");
    keep(store, {{"web", "old"}});
    // A folder in the way stands for whatever a disk can object to, for root too.
    std::filesystem::create_directories(folder_ / "state/containers/.web.yaml.new/x");
    const auto refused = store.prepare({{"web", "new"}});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error(), HasSubstr("cannot write"));
    EXPECT_EQ(folder_.read("state/containers/web.yaml"), "old");
}

}  // namespace
}  // namespace nftlink::state
