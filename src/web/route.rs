//! A route of the site: the path, its handlers, and the shortcut that the fast path takes to them.

use axum::extract::Request;
use axum::routing::MethodRouter;

use super::page_cache::CacheKey;
use super::state::WebState;

/// An entry in the list of routes.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) handlers: MethodRouter<WebState>,
    shortcut: Option<Shortcut>,
}

/// A route without a shortcut.
pub(super) const fn route(path: &'static str, handlers: MethodRouter<WebState>) -> Route {
    Route { path, handlers, shortcut: None }
}

impl Route {
    /// Lets the fast path answer this route with the cached rendering that `key` names.
    pub(super) fn cached_as(self, key: for<'a> fn(&'a str, &'a Request) -> Option<CacheKey<'a>>) -> Self {
        Self { shortcut: Some(Shortcut::Cached(key)), ..self }
    }

    /// Lets the fast path receive activities at this route.
    pub(super) fn inbox(self) -> Self {
        Self { shortcut: Some(Shortcut::Inbox), ..self }
    }

    /// The shortcut, with the pattern of the paths that have it.
    pub(super) fn shortcut(&self) -> Option<(PathPattern, Shortcut)> {
        Some((PathPattern::new(self.path), self.shortcut?))
    }
}

/// How the fast path answers a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shortcut {
    /// From the cache: the key of the request, given the parameter of its path.
    Cached(for<'a> fn(&'a str, &'a Request) -> Option<CacheKey<'a>>),
    /// By receiving an activity.
    Inbox,
}

/// A route with at most one parameter.
#[derive(Debug)]
pub(super) struct PathPattern {
    route: &'static str,
    before: &'static str,
    /// What follows the parameter, if there is one.
    after: Option<&'static str>,
}

impl PathPattern {
    fn new(route: &'static str) -> Self {
        let parameter =
            route.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1)));
        match parameter {
            Some((before, after)) => Self { route, before, after: Some(after) },
            None => Self { route, before: route, after: None },
        }
    }

    /// The route, as the router spells it.
    pub(super) const fn route(&self) -> &'static str {
        self.route
    }

    /// The parameter in a path that matches; empty if the route has none. A parameter with an escape does not match,
    /// since cached renderings are found by its decoded value.
    pub(super) fn parameter<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some(after) = self.after else { return (path == self.before).then_some("") };
        let parameter = path.strip_prefix(self.before)?.strip_suffix(after)?;
        (!parameter.is_empty() && !parameter.contains(['/', '%'])).then_some(parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_its_route_matches() {
        let parameter = |route, path| PathPattern::new(route).parameter(path);
        assert_eq!(parameter("/", "/"), Some(""));
        assert_eq!(parameter("/", "/reviews"), None);
        assert_eq!(parameter("/reviews/{slug}", "/reviews/heat"), Some("heat"));
        assert_eq!(parameter("/reviews/{slug}/comments", "/reviews/heat/comments"), Some("heat"));
        for path in ["/reviews/", "/reviews/heat/comments", "/reviews/he%61t", "/reviewsheat"] {
            assert_eq!(parameter("/reviews/{slug}", path), None, "{path}");
        }
        assert_eq!(parameter("/reviews/{slug}/comments", "/reviews/comments"), None);
    }
}
