//! In which form we sign: the one that everybody reads, and another for those who read that one alone.

use crate::both_databases;
use crate::support::remote::Scripted;
use crate::support::signature::Form;
use crate::support::{Database, Stage};

both_databases!(
    a_host_that_reads_rfc_9421_alone_is_spoken_to_so_from_then_on,
    a_host_that_reads_neither_is_tried_in_both_at_once,
    a_host_in_secure_mode_that_reads_rfc_9421_alone_is_asked_so,
);

/// Follows, and gives the form in which the Accept was signed, and how many attempts in another form came first.
async fn accepted(stage: &Stage) -> (Form, usize) {
    let unread = stage.remote.unread();
    let follow = stage.alice.follow(stage.actor());
    stage.alice.deliver(stage.inbox(), &follow).await;
    let is_ours = |r: &crate::support::remote::Received| r.activity["object"]["id"] == follow["id"];
    let accept = stage.remote.await_delivery("the Accept", is_ours).await;
    (accept.signer.form, stage.remote.unread() - unread)
}

async fn a_host_that_reads_rfc_9421_alone_is_spoken_to_so_from_then_on(database: Database) {
    let mut stage = Stage::new(database).await;
    assert_eq!(accepted(&stage).await, (Form::Cavage, 0), "the form that everybody reads comes first");
    stage.remote.read_only(Some(Form::Rfc9421));
    assert_eq!(accepted(&stage).await, (Form::Rfc9421, 1), "the same delivery, at once");
    assert_eq!(accepted(&stage).await, (Form::Rfc9421, 0), "it is remembered");
    stage.app.restart().await;
    assert_eq!(accepted(&stage).await, (Form::Rfc9421, 0), "for good");
    stage.remote.read_only(Some(Form::Cavage));
    assert_eq!(accepted(&stage).await, (Form::Cavage, 1), "until it fails in the same way");
    assert_eq!(accepted(&stage).await, (Form::Cavage, 0));
    // Both were fine to this host all along, and it is asked in the one that everybody reads.
    stage.remote.read_only(None);
    assert_eq!(accepted(&stage).await, (Form::Cavage, 0));
}

async fn a_host_that_reads_neither_is_tried_in_both_at_once(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    for (name, status) in [("una", 401), ("bo", 400)] {
        let before = stage.remote.refused().len();
        stage.remote.script([Scripted::Status(status), Scripted::Status(status)]);
        let user = stage.remote.user(name);
        user.deliver(stage.inbox(), &user.follow(stage.actor())).await;
        stage.remote.await_refusals(before + 2).await;
        let refused = &stage.remote.refused()[before..];
        assert_eq!((refused[0].signer.form, refused[1].signer.form), (Form::Cavage, Form::Rfc9421));
        assert_eq!(refused[0].activity, refused[1].activity, "the same delivery");
    }
    // What is no matter of signatures is not tried again at once.
    let before = stage.remote.refused().len();
    stage.remote.script([Scripted::Status(403)]);
    let cy = stage.remote.user("cy");
    cy.deliver(stage.inbox(), &cy.follow(stage.actor())).await;
    stage.remote.await_refusals(before + 1).await;
    assert_eq!(accepted(&stage).await, (Form::Cavage, 0));
    assert_eq!(stage.remote.refused().len(), before + 1);
}

async fn a_host_in_secure_mode_that_reads_rfc_9421_alone_is_asked_so(database: Database) {
    let stage = Stage::new(database).await;
    stage.remote.demand_signed_gets();
    stage.remote.read_only(Some(Form::Rfc9421));
    // Its key is fetched to begin with.
    stage.follow(&stage.alice).await;
    let unread = stage.remote.unread();
    assert_eq!(unread, 1, "one knock for all that followed");
    let bo = stage.remote.user("bo");
    stage.follow(&bo).await;
    assert_eq!(stage.remote.unread(), unread, "it is remembered");
}
