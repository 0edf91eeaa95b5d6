//! Blocked accounts, blocked servers, and block lists.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::{await_followers, await_total_items};
use crate::support::activities::id_of;
use crate::support::remote::{Remote, jrd};
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    a_blocked_account_no_longer_follows_and_is_not_shown,
    an_account_is_found_if_its_handle_is_on_another_domain,
    nothing_is_accepted_from_a_blocked_server_or_sent_to_it,
    a_new_rule_reports_which_rule_it_replaces,
    the_most_specific_rule_applies,
    a_name_with_many_labels_does_not_evade_a_block,
    blocking_a_server_removes_its_likes,
    a_block_list_of_mastodon_is_imported,
    importing_a_list_again_hides_what_was_shown_since,
    a_list_with_an_invalid_line_changes_nothing,
    with_an_allow_list_only_listed_servers_are_accepted,
);

async fn fixture_with_second_remote(database: Database, host: &str) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let other = network.remote(host).await;
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    (fixture, other)
}

async fn follow_from(fixture: &Fixture, other: &Remote, name: &str) -> Value {
    let user = other.user(name);
    let follow = user.follow(fixture.actor());
    user.deliver(fixture.inbox(), &follow).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept" && a["object"]["id"] == follow["id"]).await;
    follow
}

/// Runs a command that must fail, and returns its error output.
async fn command_error(fixture: &Fixture, args: &[&str]) -> String {
    let output = fixture.app.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn a_blocked_account_no_longer_follows_and_is_not_shown(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let follow = fixture.follow(&fixture.alice).await;
    let note = fixture.comment(&fixture.alice, &article, "Here I stand").await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    await_total_items(&fixture, &article, "likes", 1).await;
    let handle = format!("@{}", fixture.alice.handle());
    let printed =
        fixture.app.command_output(&["block", "account", &handle, "--reason", "spoils every ending"]).await;
    assert!(printed.contains("1 follower removed, 1 comment hidden"), "{printed}");
    let reject = fixture.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!((&reject["object"]["id"], &reject["actor"]), (&follow["id"], &fixture.actor().into()));
    await_followers(&fixture, 0).await;
    await_total_items(&fixture, &article, "likes", 0).await;
    assert!(fixture.page(&article).await.comments.is_empty());

    let again = fixture.alice.reply(id_of(&article), "<p>Here I am again</p>");
    fixture.alice.send(fixture.inbox(), &fixture.alice.create(&again)).await;
    fixture.alice.send(fixture.inbox(), &fixture.alice.follow(fixture.actor())).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Here I am again"));
    await_followers(&fixture, 0).await;

    let list = fixture.app.command_output(&["block", "list"]).await;
    assert!(list.contains(&fixture.alice.id()) && list.contains("spoils every ending"), "{list}");
    let printed = fixture.app.command_output(&["block", "remove", &handle]).await;
    assert!(printed.contains("stay hidden"), "{printed}");
    assert!(fixture.page(&article).await.comments.is_empty(), "hidden comments stay hidden");
    fixture.app.command_output(&["comment", "show", id_of(&note)]).await;
    assert!(fixture.page(&article).await.comment("Here I stand").is_some());
    fixture.follow(&fixture.alice).await;
    assert!(command_error(&fixture, &["block", "remove", &handle]).await.contains("no block or rule"));
}

async fn an_account_is_found_if_its_handle_is_on_another_domain(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    let carol = other.user("carol");
    fixture.remote.user("carol");
    fixture.remote.serve_webfinger("carol", jrd("carol@other.test", &carol.id()));
    fixture.app.command_output(&["block", "account", "@carol@remote.test"]).await;
    let list = fixture.app.command_output(&["block", "list"]).await;
    assert!(list.contains(&carol.id()), "{list}");
    // An actor that claims twice to be someone else is not fetched a third time.
    fixture.remote.user("eve");
    other.user("eve");
    fixture.remote.serve_webfinger("eve", jrd("eve@other.test", &carol.id()));
    other.serve_webfinger("eve", jrd("eve@remote.test", &carol.id()));
    assert!(
        command_error(&fixture, &["block", "account", "@eve@remote.test"])
            .await
            .contains("could not look up")
    );
}

async fn a_new_rule_reports_which_rule_it_replaces(database: Database) {
    let fixture = Fixture::new(database).await;
    let block = async |args: &[&str]| fixture.app.command_output(&[&["block"], args].concat()).await;
    let blocked = block(&["domain", "*.SPAM.test", "--reason", "lies"]).await;
    assert!(blocked.starts_with("Blocked: spam.test and") && !blocked.contains(';'), "{blocked}");
    assert!(block(&["domain", "spam.test"]).await.contains("the rule already existed"));
    assert!(block(&["list"]).await.contains("lies"), "the reason stays");
    let allowed = block(&["allow", "spam.test"]).await;
    assert!(allowed.contains("this replaces the rule to block it"), "{allowed}");
    assert!(command_error(&fixture, &["block", "domain", "spam.*.test"]).await.contains("is not a domain"));
}

async fn nothing_is_accepted_from_a_blocked_server_or_sent_to_it(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    let article = fixture.publish("The Night Ferry").await;
    follow_from(&fixture, &other, "bob").await;
    fixture.follow(&fixture.alice).await;
    let bob = other.user("bob");
    let note = fixture.comment(&bob, &article, "A word from elsewhere").await;
    let reply = fixture.alice.reply(id_of(&note), "<p>Quite so</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&reply)).await;
    fixture.await_page(&article, "the reply", |page| page.comment("Quite so").is_some()).await;
    let printed = fixture.app.command_output(&["block", "domain", "OTHER.test."]).await;
    assert!(
        printed.contains("other.test") && printed.contains("1 follower removed, 1 comment hidden"),
        "{printed}"
    );
    await_followers(&fixture, 1).await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("A word from elsewhere") && page.comment("Quite so").is_some());
    assert!(page.text.contains("hidden by the critic"), "{}", page.text);

    let before = other.received().len();
    fixture.app.command_output(&["comment", "reply", id_of(&reply), "--text", "It is"]).await;
    fixture.remote.await_activity("the reply", |a| a["object"]["type"] == "Note").await;
    let late = bob.reply(id_of(&article), "<p>Still here</p>");
    bob.send(fixture.inbox(), &bob.create(&late)).await;
    bob.send(fixture.inbox(), &bob.follow(fixture.actor())).await;
    fixture.settle().await;
    assert_eq!(other.received().len(), before, "nothing is sent to the blocked server");
    assert!(!fixture.page(&article).await.text.contains("Still here"));
    await_followers(&fixture, 1).await;
    for own_domain in ["marquee.test", "test"] {
        assert!(
            command_error(&fixture, &["block", "domain", own_domain]).await.contains("own domain"),
            "{own_domain}"
        );
    }
    assert!(command_error(&fixture, &["block", "domain", "no/host"]).await.contains("is not a domain"));
}

async fn the_most_specific_rule_applies(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "good.other.test").await;
    let article = fixture.publish("The Night Ferry").await;
    follow_from(&fixture, &other, "bob").await;
    let bob = other.user("bob");
    fixture.comment(&bob, &article, "A word from elsewhere").await;
    fixture.app.command_output(&["block", "allow", "good.other.test"]).await;
    let printed = fixture.app.command_output(&["block", "domain", "other.test"]).await;
    assert!(printed.contains("0 followers removed, 0 comments hidden"), "{printed}");
    fixture.comment(&bob, &article, "And another").await;
    fixture.app.command_output(&["block", "remove", "good.other.test"]).await;
    let late = bob.reply(id_of(&article), "<p>A third one</p>");
    bob.send(fixture.inbox(), &bob.create(&late)).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(page.comment("And another").is_some() && !page.text.contains("A third one"), "{}", page.text);
    let printed = fixture.app.command_output(&["block", "domain", "other.test"]).await;
    assert!(printed.contains("1 follower removed, 2 comments hidden"), "{printed}");
}

async fn a_name_with_many_labels_does_not_evade_a_block(database: Database) {
    let labels = "a.".repeat(16);
    let (fixture, other) = fixture_with_second_remote(database, &format!("{labels}other.test")).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.app.command_output(&["block", "domain", "other.test"]).await;
    let bob = other.user("bob");
    bob.send(fixture.inbox(), &bob.follow(fixture.actor())).await;
    let late = bob.reply(id_of(&article), "<p>From far down</p>");
    bob.send(fixture.inbox(), &bob.create(&late)).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("From far down"));
    await_followers(&fixture, 0).await;
}

async fn blocking_a_server_removes_its_likes(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let mut others = Vec::new();
    for host in ["other.test", "below.other.test", "another.test"] {
        others.push(network.remote(host).await);
    }
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    for other in &others {
        let bob = other.user("bob");
        bob.deliver(fixture.inbox(), &bob.like(id_of(&article))).await;
    }
    await_total_items(&fixture, &article, "likes", 3).await;
    fixture.app.command_output(&["block", "domain", "other.test"]).await;
    await_total_items(&fixture, &article, "likes", 1).await;
}

async fn importing_a_list_again_hides_what_was_shown_since(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&other.user("bob"), &article, "A word from elsewhere").await;
    let list = fixture.app.write("blocks.txt", "other.test\n");
    fixture.app.command_output(&["block", "import", &list]).await;
    fixture.app.command_output(&["comment", "show", id_of(&note)]).await;
    let printed = fixture.app.command_output(&["block", "import", &list]).await;
    assert!(printed.contains("0 blocked, 0 silenced (0 followers removed, 1 comment hidden)"), "{printed}");
}

async fn a_block_list_of_mastodon_is_imported(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    let article = fixture.publish("The Night Ferry").await;
    follow_from(&fixture, &other, "bob").await;
    fixture.comment(&other.user("bob"), &article, "A word from elsewhere").await;
    fixture.app.command_output(&["block", "allow", "friends.example"]).await;
    let list = fixture.app.write(
        "blocks.csv",
        "\u{FEFF}#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n\
         OTHER.test,suspend,true,true,\"spam, and worse\",false\r\n\
         loud.example,silence,false,false,,false\r\n\
         dull.example,noop,false,false,,false\r\n\
         ex***le.com,suspend,true,true,,true\r\n\
         friends.example,suspend,true,true,,false\r\n\
         marquee.test,suspend,true,true,,false\r\n",
    );
    let printed = fixture.app.command_output(&["block", "import", &list]).await;
    for line in [
        "Imported: 1 blocked, 1 silenced (1 follower removed, 1 comment hidden)",
        "1 unchanged",
        "1 skipped because the list does not restrict",
        "1 skipped: this site's own domain",
        "obfuscated: ex***le.com",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    await_followers(&fixture, 0).await;
    assert!(fixture.page(&article).await.comments.is_empty());
    let listed = fixture.app.command_output(&["block", "list"]).await;
    let rules: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.nth(1)?))
        })
        .collect();
    let expected = [("allow", "friends.example"), ("block", "other.test"), ("silence", "loud.example")];
    assert_eq!(rules, expected, "{listed}");
    assert!(listed.contains("spam, and worse"), "{listed}");
    let printed = fixture.app.command_output(&["block", "import", &list]).await;
    assert!(
        printed.contains("Imported: 0 blocked, 0 silenced") && printed.contains("3 unchanged"),
        "{printed}"
    );
}

async fn a_list_with_an_invalid_line_changes_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    for (text, expected) in [
        (
            "domain,severity\ngood.example,suspend\nbad.example,perhaps\n",
            "line 3: unknown severity \"perhaps\"",
        ),
        ("good.example\nnot a domain\nhttps://x.example/\n", "line 2: \"not a domain\" is not a domain"),
        ("good.example\n\"bad.example\n", "line 2: a closing quotation mark is missing"),
    ] {
        let list = fixture.app.write("blocks.csv", text);
        let stderr = command_error(&fixture, &["block", "import", &list]).await;
        assert!(stderr.contains(expected) && stderr.contains("nothing was imported"), "{stderr}");
    }
    assert_eq!(fixture.app.command_output(&["block", "list"]).await.trim(), "no blocks or rules");
    let missing = fixture.app.folder().file("missing.csv").display().to_string();
    assert!(command_error(&fixture, &["block", "import", &missing]).await.contains("missing.csv"));
}

async fn with_an_allow_list_only_listed_servers_are_accepted(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "allow_list", "true")).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.alice.send(fixture.inbox(), &fixture.alice.follow(fixture.actor())).await;
    let early = fixture.alice.reply(id_of(&article), "<p>Let me in</p>");
    fixture.alice.send(fixture.inbox(), &fixture.alice.create(&early)).await;
    fixture.app.command_output(&["block", "allow", "remote.test", "--reason", "friends"]).await;
    fixture.follow(&fixture.alice).await;
    fixture.comment(&fixture.alice, &article, "Thank you").await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Let me in"));
    await_followers(&fixture, 1).await;
    fixture.app.command_output(&["block", "remove", "remote.test"]).await;
    let before = fixture.remote.received().len();
    let late = fixture.alice.reply(id_of(&article), "<p>And now</p>");
    fixture.alice.send(fixture.inbox(), &fixture.alice.create(&late)).await;
    fixture.publish("The Day Ferry").await;
    let is_abandoned = |line: &str| line.contains("the server is blocked");
    fixture.app.await_log("the delivery to be abandoned", is_abandoned).await;
    fixture.app.command_output(&["block", "allow", "remote.test"]).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("And now"));
    let sent = fixture.remote.received().into_iter().skip(before);
    assert!(
        sent.map(|received| received.activity).all(|a| a["type"] != "Create"),
        "nothing was sent to the removed server"
    );
}
