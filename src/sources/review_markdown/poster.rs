//! The poster that front matter names: a URL, a file beside the text, or a path on the site of the original.

use url::Url;

use super::fields::{ReviewField, ReviewFields};
use super::{MarkdownError, web_url};
use crate::domain::review::Poster;
use crate::sources::front_matter::FrontMatterValue;
use crate::sources::html;

/// Returns the first image that the front matter names. Themes put the URL and its description into a table or a list.
pub(super) fn poster(fields: &ReviewFields<'_>, base: &Url) -> Result<Option<Poster>, MarkdownError> {
    let Some(found) = fields.get(ReviewField::Poster) else { return Ok(None) };
    let mut value = found.value;
    while let FrontMatterValue::List(items) = value {
        let Some(first) = items.first() else { return Ok(None) };
        value = first;
    }
    let part_of = |names: &[&str]| match value {
        FrontMatterValue::Table(parts) => names.iter().find_map(|name| {
            let part = parts.iter().find(|part| part.key.eq_ignore_ascii_case(name))?;
            if let FrontMatterValue::Text(text) = &part.value { Some(text.as_str()) } else { None }
        }),
        _ => None,
    };
    let path = match value {
        FrontMatterValue::Text(path) => Some(path.as_str()),
        _ => part_of(&["image", "src", "url", "path", "relative"]),
    };
    let Some(path) = path.map(str::trim).filter(|path| !path.is_empty()) else { return Ok(None) };
    let alt =
        fields.text(ReviewField::PosterAlt)?.map(|(alt, _)| alt).or_else(|| part_of(&["alt", "alttext"]));
    let alt = alt.map(|alt| html::single_line_text(alt, 1_000)).filter(|alt| !alt.is_empty());
    let is_web = path.starts_with("https://") || path.starts_with("http://") || path.starts_with("//");
    if let Some(url) = html::image_url(path, base).filter(|url| url.scheme() == "file" || is_web) {
        return Ok(Some(Poster { url, alt }));
    }
    // Other programs name images by their path on the site. Where that is, the address of the original says.
    let page = web_url(fields, ReviewField::CanonicalUrl)?;
    let is_site_path = path.starts_with('/') && !path.starts_with("//");
    if let Some(url) = page.filter(|_| is_site_path).and_then(|page| html::image_url(path, &page)) {
        return Ok(Some(Poster { url, alt }));
    }
    let file = path.rsplit('/').next().filter(|file| html::has_image_ending(file)).unwrap_or("image.jpg");
    let what = if is_web {
        "expected the https URL of an image".to_owned()
    } else if is_site_path {
        format!(
            "`{path}` is a path on the site that this file is from: write the URL of the image (https://…), \
             give the page's URL as `canonical_url`, or put the image next to this file and write `{file}`"
        )
    } else {
        format!(
            "`{path}` is not next to this file: write the URL of the image (https://…), or put the image next to \
             this file and write `{file}`"
        )
    };
    Err(found.error(&what))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read_yaml;

    #[test]
    fn an_image_on_the_site_of_the_original_is_found_there() {
        let site = "title: A\ncanonical_url: https://old.example/2019/anora/";
        for poster in ["image: /images/x.jpg", "cover:\n  image: /images/x.jpg", "images: [/images/x.jpg]"] {
            let content = read_yaml(&format!("{site}\n{poster}")).unwrap();
            assert_eq!(content.poster.unwrap().url.as_str(), "https://old.example/images/x.jpg", "{poster}");
            let error = read_yaml(&format!("title: A\n{poster}")).unwrap_err().to_string();
            assert!(
                error.contains("`/images/x.jpg` is a path on the site that this file is from"),
                "{error}"
            );
            assert!(error.contains("write `x.jpg`"), "{error}");
        }
        let beside = read_yaml("title: A\nimage: x.jpg").unwrap().poster.unwrap();
        assert_eq!(beside.url.scheme(), "file");
        let http = read_yaml("title: A\nimage: http://old.example/x.jpg").unwrap().poster.unwrap();
        assert_eq!(http.url.as_str(), "https://old.example/x.jpg");
        let error = read_yaml("title: A\nimage: ../assets/x.jpg").unwrap_err().to_string();
        assert!(error.contains("`../assets/x.jpg` is not next to this file"), "{error}");
    }
}
