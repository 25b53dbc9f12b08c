#include "nftlink/desired/differences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::desired {
namespace {

using testing::ElementsAre;
using testing::IsNull;
using testing::Pair;

model::Container container(const std::string& name, std::vector<model::Link> links) {
    return {.name = name, .networks = {}, .expose = {}, .environment = {}, .links = std::move(links)};
}

class DifferencesTest : public testing::Test {
protected:
    DifferencesTest() {
        before_.containers["gone"] = container("gone", {{"db", "db"}});
        before_.containers["same"] = after_.containers["same"] = container("same", {{"db", "db"}});
        before_.containers["web"] = container("web", {{"db", "db"}, {"db", "old"}});
        after_.containers["web"] = container("web", {{"cache", "db"}, {"db", "old"}});
        after_.containers["new"] = container("new", {{"db", "db"}});
    }

    model::Topology before_, after_;
};

TEST_F(DifferencesTest, LinksThatAreRemovedComeFirst) {
    EXPECT_THAT(link_changes(before_, after_),
                ElementsAre(LinkChange{"gone", {"db", "db"}, false}, LinkChange{"web", {"db", "db"}, false},
                            LinkChange{"new", {"db", "db"}, true}, LinkChange{"web", {"cache", "db"}, true}));
}

TEST_F(DifferencesTest, ContainersThatAreInOneAloneOrAnotherOneInEach) {
    std::set<std::string> names{"kept"};
    add_changed(before_, after_, names);
    EXPECT_THAT(names, ElementsAre("gone", "kept", "new", "web"));
    EXPECT_THAT(those_before(before_, {"new", "web"}),
                ElementsAre(Pair("new", IsNull()), Pair("web", before_.find("web"))));
}

}  // namespace
}  // namespace nftlink::desired
