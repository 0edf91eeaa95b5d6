//! Which signature scheme Marquee uses: draft-cavage, which all servers accept, and RFC 9421 for servers that accept
//! only that.

use crate::both_databases;
use crate::support::remote::ScriptedResponse;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture};

both_databases!(
    a_host_that_only_accepts_rfc_9421_gets_it_from_then_on,
    a_host_that_accepts_neither_scheme_is_tried_with_both_at_once,
    a_host_with_authorized_fetch_that_only_accepts_rfc_9421_gets_it,
);

/// Follows, and returns the scheme of the Accept and the number of attempts with the other scheme before it.
async fn accept_scheme(fixture: &Fixture) -> (SignatureScheme, usize) {
    let rejected_schemes = fixture.remote.rejected_schemes();
    let follow = fixture.alice.follow(fixture.actor());
    fixture.alice.deliver(fixture.inbox(), &follow).await;
    let is_accept = |r: &crate::support::remote::Received| r.activity["object"]["id"] == follow["id"];
    let accept = fixture.remote.await_delivery("the Accept", is_accept).await;
    (accept.signer.scheme, fixture.remote.rejected_schemes() - rejected_schemes)
}

async fn a_host_that_only_accepts_rfc_9421_gets_it_from_then_on(database: Database) {
    let mut fixture = Fixture::new(database).await;
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Cavage, 0), "draft-cavage is tried first");
    fixture.remote.accept_only(Some(SignatureScheme::Rfc9421));
    assert_eq!(
        accept_scheme(&fixture).await,
        (SignatureScheme::Rfc9421, 1),
        "the delivery is repeated at once"
    );
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Rfc9421, 0), "the scheme is remembered");
    fixture.app.restart().await;
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Rfc9421, 0), "even after a restart");
    fixture.remote.accept_only(Some(SignatureScheme::Cavage));
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Cavage, 1), "until that scheme is rejected");
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Cavage, 0));
    // This host accepts both, so the more common one is used.
    fixture.remote.accept_only(None);
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Cavage, 0));
}

async fn a_host_that_accepts_neither_scheme_is_tried_with_both_at_once(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    for (name, status) in [("una", 401), ("bo", 400)] {
        let before = fixture.remote.rejected().len();
        fixture.remote.script([ScriptedResponse::Status(status), ScriptedResponse::Status(status)]);
        let user = fixture.remote.user(name);
        user.deliver(fixture.inbox(), &user.follow(fixture.actor())).await;
        fixture.remote.await_rejections(before + 2).await;
        let rejected = &fixture.remote.rejected()[before..];
        assert_eq!(
            (rejected[0].signer.scheme, rejected[1].signer.scheme),
            (SignatureScheme::Cavage, SignatureScheme::Rfc9421)
        );
        assert_eq!(rejected[0].activity, rejected[1].activity, "the same delivery");
    }
    // An error that has nothing to do with signatures causes no second attempt.
    let before = fixture.remote.rejected().len();
    fixture.remote.script([ScriptedResponse::Status(403)]);
    let cy = fixture.remote.user("cy");
    cy.deliver(fixture.inbox(), &cy.follow(fixture.actor())).await;
    fixture.remote.await_rejections(before + 1).await;
    assert_eq!(accept_scheme(&fixture).await, (SignatureScheme::Cavage, 0));
    assert_eq!(fixture.remote.rejected().len(), before + 1);
}

async fn a_host_with_authorized_fetch_that_only_accepts_rfc_9421_gets_it(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.remote.require_signed_gets();
    fixture.remote.accept_only(Some(SignatureScheme::Rfc9421));
    // The actor is fetched first.
    fixture.follow(&fixture.alice).await;
    let rejected_schemes = fixture.remote.rejected_schemes();
    assert_eq!(rejected_schemes, 1, "only the first request was rejected");
    let bo = fixture.remote.user("bo");
    fixture.follow(&bo).await;
    assert_eq!(fixture.remote.rejected_schemes(), rejected_schemes, "the scheme is remembered");
}
