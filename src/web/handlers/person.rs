//! Loads the page of a person.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::cacheable_page;
use super::review_list::{ReviewListPage, find_term};
use crate::domain::browse_index::{BrowseKind, CreditRole};
use crate::store::browse_index::{self, BrowseQuery};
use crate::web::error::WebError;
use crate::web::page_cache::CacheKind;
use crate::web::pages::PersonPage;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// The query `?as=ROLE`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct RoleQuery {
    #[serde(default, rename = "as")]
    role: Option<String>,
}

/// Reviews of films by or with a person.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    Query(role_query): Query<RoleQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let role = match role_query.role.as_deref() {
        None => None,
        Some(name) => Some(name.parse::<CreditRole>().map_err(|_| WebError::NotFound)?),
    };
    let render = || async {
        let term = find_term(&state, BrowseKind::Person, &slug).await?;
        let roles = browse_index::count_roles(&state.app.db, &slug).await?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Person, &slug).in_role(role), &query)
                .await?;
        if list_page.total == 0 {
            return Err(WebError::NotFound);
        }
        let page = PersonPage {
            slug: &slug,
            name: &term.name,
            roles,
            role,
            reviews: &list_page.list.listed(),
            total: list_page.total,
            total_in_any_role: term.total,
            several_critics: list_page.several_critics(),
            page: list_page.page,
            pages: list_page.pages,
        };
        Ok(cacheable_page(&state, state.pages.person(&page)?, None))
    };
    let role = role.map_or("", CreditRole::as_str);
    let key = format!("/people/{slug}?as={role}&page={}", query.number());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), &headers, render).await
}
