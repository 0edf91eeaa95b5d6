//! Whom the critics do not want to hear: accounts, servers, and lists of servers.

use serde_json::Value;

use crate::both_databases;
use crate::course::{await_followers, await_total};
use crate::support::remote::{Remote, jrd};
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, World, eventually};

both_databases!(
    a_blocked_account_follows_no_longer_and_is_not_shown,
    an_account_is_found_where_its_handles_are_on_another_domain,
    a_blocked_server_is_neither_heard_nor_sent_to,
    a_rule_says_what_it_takes_the_place_of,
    the_nearest_rule_counts,
    a_name_of_many_labels_evades_no_block,
    a_blocked_server_loses_those_who_only_liked,
    a_list_of_mastodon_is_taken_over,
    a_list_that_is_imported_again_ends_what_was_left,
    a_list_with_a_wrong_line_changes_nothing,
    where_only_named_servers_are_heard_one_is_named,
);

async fn stage_with_another(database: Database, host: &str) -> (Stage, Remote) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let other = world.remote(host).await;
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    (stage, other)
}

async fn follow_from(stage: &Stage, other: &Remote, name: &str) -> Value {
    let user = other.user(name);
    let follow = user.follow(stage.actor());
    user.deliver(stage.inbox(), &follow).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept" && a["object"]["id"] == follow["id"]).await;
    follow
}

async fn refusal(stage: &Stage, args: &[&str]) -> String {
    let output = stage.app.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn a_blocked_account_follows_no_longer_and_is_not_shown(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let follow = stage.follow(&stage.alice).await;
    let note = stage.comment(&stage.alice, &article, "Here I stand").await;
    stage.alice.deliver(stage.inbox(), &stage.alice.like(id_of(&article))).await;
    await_total(&stage, &article, "likes", 1).await;
    let handle = format!("@{}", stage.alice.handle());
    let printed =
        stage.app.command_output(&["block", "account", &handle, "--reason", "spoils every ending"]).await;
    assert!(printed.contains("1 follower removed, 1 comment hidden"), "{printed}");
    let reject = stage.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!((&reject["object"]["id"], &reject["actor"]), (&follow["id"], &stage.actor().into()));
    await_followers(&stage, 0).await;
    await_total(&stage, &article, "likes", 0).await;
    assert!(stage.page(&article).await.comments.is_empty());

    let again = stage.alice.reply(id_of(&article), "<p>Here I am again</p>");
    stage.alice.send(stage.inbox(), &stage.alice.create(&again)).await;
    stage.alice.send(stage.inbox(), &stage.alice.follow(stage.actor())).await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("Here I am again"));
    await_followers(&stage, 0).await;

    let list = stage.app.command_output(&["block", "list"]).await;
    assert!(list.contains(&stage.alice.id()) && list.contains("spoils every ending"), "{list}");
    let printed = stage.app.command_output(&["block", "remove", &handle]).await;
    assert!(printed.contains("stays hidden"), "{printed}");
    assert!(stage.page(&article).await.comments.is_empty(), "what it hid stays hidden");
    stage.app.command_output(&["comment", "show", id_of(&note)]).await;
    assert!(stage.page(&article).await.comment("Here I stand").is_some());
    stage.follow(&stage.alice).await;
    assert!(refusal(&stage, &["block", "remove", &handle]).await.contains("no rule"));
}

async fn an_account_is_found_where_its_handles_are_on_another_domain(database: Database) {
    let (stage, other) = stage_with_another(database, "other.test").await;
    let carol = other.user("carol");
    stage.remote.user("carol");
    stage.remote.serve_webfinger("carol", jrd("carol@other.test", &carol.id()));
    stage.app.command_output(&["block", "account", "@carol@remote.test"]).await;
    let list = stage.app.command_output(&["block", "list"]).await;
    assert!(list.contains(&carol.id()), "{list}");
    // Who says again that it is somebody else is not asked a third time.
    stage.remote.user("eve");
    other.user("eve");
    stage.remote.serve_webfinger("eve", jrd("eve@other.test", &carol.id()));
    other.serve_webfinger("eve", jrd("eve@remote.test", &carol.id()));
    assert!(
        refusal(&stage, &["block", "account", "@eve@remote.test"]).await.contains("could not be looked up")
    );
}

async fn a_rule_says_what_it_takes_the_place_of(database: Database) {
    let stage = Stage::new(database).await;
    let told = async |args: &[&str]| stage.app.command_output(&[&["block"], args].concat()).await;
    let blocked = told(&["domain", "*.SPAM.test", "--reason", "lies"]).await;
    assert!(blocked.starts_with("Blocked: spam.test and") && !blocked.contains(';'), "{blocked}");
    assert!(told(&["domain", "spam.test"]).await.contains("it was so before"));
    assert!(told(&["list"]).await.contains("lies"), "the reason stays");
    let allowed = told(&["allow", "spam.test"]).await;
    assert!(allowed.contains("this takes the place of a rule to block it"), "{allowed}");
    assert!(refusal(&stage, &["block", "domain", "spam.*.test"]).await.contains("is not a domain"));
}

async fn a_blocked_server_is_neither_heard_nor_sent_to(database: Database) {
    let (stage, other) = stage_with_another(database, "other.test").await;
    let article = stage.publish("The Night Ferry").await;
    follow_from(&stage, &other, "bob").await;
    stage.follow(&stage.alice).await;
    let bob = other.user("bob");
    let note = stage.comment(&bob, &article, "A word from elsewhere").await;
    let reply = stage.alice.reply(id_of(&note), "<p>Quite so</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&reply)).await;
    stage.await_page(&article, "the reply", |page| page.comment("Quite so").is_some()).await;
    let printed = stage.app.command_output(&["block", "domain", "OTHER.test."]).await;
    assert!(
        printed.contains("other.test") && printed.contains("1 follower removed, 1 comment hidden"),
        "{printed}"
    );
    await_followers(&stage, 1).await;
    let page = stage.page(&article).await;
    assert!(!page.text.contains("A word from elsewhere") && page.comment("Quite so").is_some());
    assert!(page.text.contains("hidden by the critic"), "{}", page.text);

    let before = other.received().len();
    stage.app.command_output(&["comment", "reply", id_of(&reply), "--text", "It is"]).await;
    stage.remote.await_activity("the answer", |a| a["object"]["type"] == "Note").await;
    let late = bob.reply(id_of(&article), "<p>Still here</p>");
    bob.send(stage.inbox(), &bob.create(&late)).await;
    bob.send(stage.inbox(), &bob.follow(stage.actor())).await;
    stage.settle().await;
    assert_eq!(other.received().len(), before, "nothing is sent there any more");
    assert!(!stage.page(&article).await.text.contains("Still here"));
    await_followers(&stage, 1).await;
    for ours in ["marquee.test", "test"] {
        assert!(refusal(&stage, &["block", "domain", ours]).await.contains("this site's own"), "{ours}");
    }
    assert!(refusal(&stage, &["block", "domain", "no/host"]).await.contains("is not a domain"));
}

async fn the_nearest_rule_counts(database: Database) {
    let (stage, other) = stage_with_another(database, "good.other.test").await;
    let article = stage.publish("The Night Ferry").await;
    follow_from(&stage, &other, "bob").await;
    let bob = other.user("bob");
    stage.comment(&bob, &article, "A word from elsewhere").await;
    stage.app.command_output(&["block", "allow", "good.other.test"]).await;
    let printed = stage.app.command_output(&["block", "domain", "other.test"]).await;
    assert!(printed.contains("0 followers removed, 0 comments hidden"), "{printed}");
    stage.comment(&bob, &article, "And another").await;
    stage.app.command_output(&["block", "remove", "good.other.test"]).await;
    let late = bob.reply(id_of(&article), "<p>A third one</p>");
    bob.send(stage.inbox(), &bob.create(&late)).await;
    stage.settle().await;
    let page = stage.page(&article).await;
    assert!(page.comment("And another").is_some() && !page.text.contains("A third one"), "{}", page.text);
    let printed = stage.app.command_output(&["block", "domain", "other.test"]).await;
    assert!(printed.contains("1 follower removed, 2 comments hidden"), "{printed}");
}

async fn a_name_of_many_labels_evades_no_block(database: Database) {
    let labels = "a.".repeat(16);
    let (stage, other) = stage_with_another(database, &format!("{labels}other.test")).await;
    let article = stage.publish("The Night Ferry").await;
    stage.app.command_output(&["block", "domain", "other.test"]).await;
    let bob = other.user("bob");
    bob.send(stage.inbox(), &bob.follow(stage.actor())).await;
    let late = bob.reply(id_of(&article), "<p>From far down</p>");
    bob.send(stage.inbox(), &bob.create(&late)).await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("From far down"));
    await_followers(&stage, 0).await;
}

async fn a_blocked_server_loses_those_who_only_liked(database: Database) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let mut others = Vec::new();
    for host in ["other.test", "below.other.test", "another.test"] {
        others.push(world.remote(host).await);
    }
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    let article = stage.publish("The Night Ferry").await;
    for other in &others {
        let bob = other.user("bob");
        bob.deliver(stage.inbox(), &bob.like(id_of(&article))).await;
    }
    await_total(&stage, &article, "likes", 3).await;
    stage.app.command_output(&["block", "domain", "other.test"]).await;
    await_total(&stage, &article, "likes", 1).await;
}

async fn a_list_that_is_imported_again_ends_what_was_left(database: Database) {
    let (stage, other) = stage_with_another(database, "other.test").await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&other.user("bob"), &article, "A word from elsewhere").await;
    let list = stage.app.write("blocks.txt", "other.test\n");
    stage.app.command_output(&["block", "import", &list]).await;
    stage.app.command_output(&["comment", "show", id_of(&note)]).await;
    let printed = stage.app.command_output(&["block", "import", &list]).await;
    assert!(printed.contains("0 blocked, 0 silenced (0 followers removed, 1 comment hidden)"), "{printed}");
}

async fn a_list_of_mastodon_is_taken_over(database: Database) {
    let (stage, other) = stage_with_another(database, "other.test").await;
    let article = stage.publish("The Night Ferry").await;
    follow_from(&stage, &other, "bob").await;
    stage.comment(&other.user("bob"), &article, "A word from elsewhere").await;
    stage.app.command_output(&["block", "allow", "friends.example"]).await;
    let list = stage.app.write(
        "blocks.csv",
        "\u{FEFF}#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n\
         OTHER.test,suspend,true,true,\"spam, and worse\",false\r\n\
         loud.example,silence,false,false,,false\r\n\
         dull.example,noop,false,false,,false\r\n\
         ex***le.com,suspend,true,true,,true\r\n\
         friends.example,suspend,true,true,,false\r\n\
         marquee.test,suspend,true,true,,false\r\n",
    );
    let printed = stage.app.command_output(&["block", "import", &list]).await;
    for told in [
        "Imported: 1 blocked, 1 silenced (1 follower removed, 1 comment hidden)",
        "1 unchanged",
        "1 skipped: the list does not restrict",
        "1 skipped: this site's own domain",
        "obfuscated: ex***le.com",
    ] {
        assert!(printed.contains(told), "{told}: {printed}");
    }
    await_followers(&stage, 0).await;
    assert!(stage.page(&article).await.comments.is_empty());
    let listed = stage.app.command_output(&["block", "list"]).await;
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
    let printed = stage.app.command_output(&["block", "import", &list]).await;
    assert!(
        printed.contains("Imported: 0 blocked, 0 silenced") && printed.contains("3 unchanged"),
        "{printed}"
    );
}

async fn a_list_with_a_wrong_line_changes_nothing(database: Database) {
    let stage = Stage::new(database).await;
    for (text, told) in [
        ("domain,severity\ngood.example,suspend\nbad.example,perhaps\n", "line 3: the severity \"perhaps\""),
        ("good.example\nnot a domain\nhttps://x.example/\n", "line 2: \"not a domain\" is not a domain"),
        ("good.example\n\"bad.example\n", "line 2: a quotation mark is missing"),
    ] {
        let list = stage.app.write("blocks.csv", text);
        let complaint = refusal(&stage, &["block", "import", &list]).await;
        assert!(complaint.contains(told) && complaint.contains("nothing was imported"), "{complaint}");
    }
    assert_eq!(stage.app.command_output(&["block", "list"]).await.trim(), "no blocks or rules");
    let missing = stage.app.folder().file("missing.csv").display().to_string();
    assert!(refusal(&stage, &["block", "import", &missing]).await.contains("missing.csv"));
}

async fn where_only_named_servers_are_heard_one_is_named(database: Database) {
    let stage = Stage::with(database, |_, settings| settings.set("moderation", "allow_list", "true")).await;
    let article = stage.publish("The Night Ferry").await;
    stage.alice.send(stage.inbox(), &stage.alice.follow(stage.actor())).await;
    let early = stage.alice.reply(id_of(&article), "<p>Let me in</p>");
    stage.alice.send(stage.inbox(), &stage.alice.create(&early)).await;
    stage.app.command_output(&["block", "allow", "remote.test", "--reason", "friends"]).await;
    stage.follow(&stage.alice).await;
    stage.comment(&stage.alice, &article, "Thank you").await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("Let me in"));
    await_followers(&stage, 1).await;
    stage.app.command_output(&["block", "remove", "remote.test"]).await;
    let before = stage.remote.received().len();
    let late = stage.alice.reply(id_of(&article), "<p>And now</p>");
    stage.alice.send(stage.inbox(), &stage.alice.create(&late)).await;
    stage.publish("The Day Ferry").await;
    eventually("the delivery to be given up", || async {
        stage.app.log().iter().any(|line| line.contains("its server is blocked here")).then_some(())
    })
    .await;
    stage.app.command_output(&["block", "allow", "remote.test"]).await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("And now"));
    let sent = stage.remote.received().into_iter().skip(before);
    assert!(sent.map(|received| received.activity).all(|a| a["type"] != "Create"), "nothing was sent there");
}
