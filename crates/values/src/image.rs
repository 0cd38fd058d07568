//! The format and the size of a picture, read from its first bytes. The server never decodes a
//! picture. Browsers do, in a sandboxed process.

use derive_more::Display;

/// A picture that pages may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub format: ImageFormat,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Formats of pixels only: a format of markup, such as SVG, could run scripts.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub enum ImageFormat {
    /// Portable Network Graphics (W3C).
    #[display("PNG")]
    Png,
    /// JPEG (ITU-T T.81).
    #[display("JPEG")]
    Jpeg,
    /// WebP (RFC 9649).
    WebP,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitImage {
    /// The size in bytes.
    #[error("the picture has {0} bytes, but a logo can have at most {most}", most = Image::MOST_BYTES)]
    TooLarge(usize),
    /// A text, such as SVG.
    #[error("this is markup, which could contain a script")]
    Markup,
    #[error("the picture must be PNG, JPEG or WebP")]
    UnknownFormat,
    /// The bytes end before the size of the picture.
    #[error("this is not a complete {0}")]
    Incomplete(ImageFormat),
    /// Too many pixels, or none.
    #[error("the picture has {width} by {height} pixels, but a logo can have 1 to {most} each way", most = Image::MOST_PIXELS)]
    Pixels { width: u32, height: u32 },
    #[error("the picture is animated, and pages have no animation (WCAG 2.2, 2.2.2)")]
    Animated,
}

impl Image {
    /// Bytes.
    pub const MOST_BYTES: usize = 256 * 1024;
    /// The maximum of width and height. A browser needs 4 bytes of memory for each pixel.
    pub const MOST_PIXELS: u32 = 4096;

    pub fn read(bytes: &[u8]) -> Result<Self, UnfitImage> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(UnfitImage::TooLarge(bytes.len()));
        }
        let Some(format) = ImageFormat::from_bytes(bytes) else {
            let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
            return Err(if start.starts_with(b"<") { UnfitImage::Markup } else { UnfitImage::UnknownFormat });
        };
        let read = match format {
            ImageFormat::Png => png(bytes),
            ImageFormat::Jpeg => jpeg(bytes),
            ImageFormat::WebP => webp(bytes),
        };
        let ImageHeader { width, height, moves } = read.ok_or(UnfitImage::Incomplete(format))?;
        let fits = |side| (1..=Self::MOST_PIXELS).contains(&side);
        match moves {
            _ if !fits(width) || !fits(height) => Err(UnfitImage::Pixels { width, height }),
            true => Err(UnfitImage::Animated),
            false => Ok(Self { format, width, height }),
        }
    }
}

impl ImageFormat {
    /// Recognizes the signature at the start of the file.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

struct ImageHeader {
    width: u32,
    height: u32,
    moves: bool,
}

/// The size is in `IHDR`, the first chunk. An animated picture has a chunk `acTL` before its first
/// pixels (PNG, third edition, §5.6).
fn png(bytes: &[u8]) -> Option<ImageHeader> {
    let mut rest = bytes.get(8..)?;
    let mut header = None;
    loop {
        let length = usize::try_from(big_endian(rest.get(..4)?)).ok()?;
        let (kind, content) = (rest.get(4..8)?, rest.get(8..)?);
        match (kind, &mut header) {
            (b"IHDR", None) => {
                let (width, height) = (big_endian(content.get(..4)?), big_endian(content.get(4..8)?));
                header = Some(ImageHeader { width, height, moves: false });
            }
            (b"acTL", Some(header)) => header.moves = true,
            (b"IDAT", _) => return header,
            (_, Some(_)) => {}
            (_, None) => return None,
        }
        // The chunk ends with a checksum of 4 bytes.
        rest = content.get(length.checked_add(4)?..)?;
    }
}

/// The frame segment contains the size. It precedes the pixels in every coding.
fn jpeg(bytes: &[u8]) -> Option<ImageHeader> {
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xff, marker, after @ ..] = rest else { return None };
        match marker {
            // Any number of fill bytes may precede a marker.
            0xff => rest = &rest[1..],
            // End of image, and start of scan.
            0xd9 | 0xda => return None,
            // These markers have no segment.
            0x01 | 0xd0..=0xd8 => rest = after,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (height, width) = (big_endian(after.get(3..5)?), big_endian(after.get(5..7)?));
                return Some(ImageHeader { width, height, moves: false });
            }
            _ => rest = after.get(usize::try_from(big_endian(after.get(..2)?)).ok()?..)?,
        }
    }
}

/// The first chunk contains the size, in a different form for each kind of chunk (RFC 9649 §2.5 to
/// §2.7).
fn webp(bytes: &[u8]) -> Option<ImageHeader> {
    let (kind, content) = (bytes.get(12..16)?, bytes.get(20..)?);
    let still = |width, height| Some(ImageHeader { width, height, moves: false });
    match kind {
        b"VP8 " => {
            let [_, _, _, 0x9d, 0x01, 0x2a, sides @ ..] = content else { return None };
            // The two upper bits are a scaling factor.
            let side = |at: usize| Some(little_endian(sides.get(at..at + 2)?) & 0x3fff);
            still(side(0)?, side(2)?)
        }
        b"VP8L" => {
            let [0x2f, sides @ ..] = content else { return None };
            let bits = little_endian(sides.get(..4)?);
            still((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }
        b"VP8X" => {
            const ANIMATION: u8 = 0b10;
            let moves = content.first()? & ANIMATION != 0;
            let side = |at: usize| Some(little_endian(content.get(at..at + 3)?) + 1);
            Some(ImageHeader { width: side(4)?, height: side(7)?, moves })
        }
        _ => None,
    }
}

/// At most 4 bytes.
fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// At most 4 bytes.
fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = include_bytes!("../../testkit/images/logo.png");
    const JPEG: &[u8] = include_bytes!("../../testkit/images/logo.jpg");
    const WEBP: &[u8] = include_bytes!("../../testkit/images/logo.webp");
    const LOSSLESS: &[u8] = include_bytes!("../../testkit/images/lossless.webp");
    const EXTENDED: &[u8] = include_bytes!("../../testkit/images/transparent.webp");
    const PROGRESSIVE: &[u8] = include_bytes!("../../testkit/images/progressive.jpg");
    const MOVING_WEBP: &[u8] = include_bytes!("../../testkit/images/moving.webp");
    const MOVING_PNG: &[u8] = include_bytes!("../../testkit/images/moving.png");

    /// A PNG header with this size. The rest of the picture is not valid.
    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = PNG.to_vec();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        bytes
    }

    #[test]
    fn image_size_is_read_in_each_format() {
        for (format, images) in [
            (ImageFormat::Png, &[PNG][..]),
            (ImageFormat::Jpeg, &[JPEG, PROGRESSIVE]),
            (ImageFormat::WebP, &[WEBP, LOSSLESS, EXTENDED]),
        ] {
            for bytes in images {
                assert_eq!(Image::read(bytes), Ok(Image { format, width: 96, height: 48 }));
            }
        }
        let kinds = [WEBP, LOSSLESS, EXTENDED].map(|bytes| &bytes[12..16]);
        assert_eq!(kinds, [b"VP8 ", b"VP8L", b"VP8X"], "each form is read");
    }

    #[test]
    fn animated_images_are_refused() {
        for moving in [MOVING_PNG, MOVING_WEBP] {
            assert_eq!(Image::read(moving), Err(UnfitImage::Animated));
        }
    }

    // [limits #32]
    #[test]
    fn markup_and_unknown_formats_are_refused() {
        for markup in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "\u{feff}<?xml version=\"1.0\"?><svg/>",
            "  \n<!doctype html><script>alert(1)</script>",
        ] {
            assert_eq!(Image::read(markup.as_bytes()), Err(UnfitImage::Markup), "{markup}");
        }
        for other in
            [&b""[..], b"GIF89a", b"\0\0\x01\0", b"%PDF-1.7", b"\x89PNG", b"RIFF\0\0\0\0WAVE", b"\x1f\x8b"]
        {
            assert_eq!(Image::read(other), Err(UnfitImage::UnknownFormat), "{other:?}");
        }
    }

    // [limits #32]: a tenant's logo | PNG, JPEG or WebP by its first bytes, 256 KiB, 4096 pixels each way, no
    //   animation; never decoded; shown by its own tenant only | refused
    #[test]
    fn image_dimensions_and_bytes_are_limited() {
        for (width, height) in [(1, 1), (4096, 4096)] {
            let expected = Image { format: ImageFormat::Png, width, height };
            assert_eq!(Image::read(&png_of(width, height)), Ok(expected));
        }
        for (width, height) in [(4097, 1), (1, 4097), (0, 1), (u32::MAX, 0)] {
            let expected = Err(UnfitImage::Pixels { width, height });
            assert_eq!(Image::read(&png_of(width, height)), expected);
        }
        let padded = |length: usize| [PNG, &vec![0; length - PNG.len()]].concat();
        assert!(Image::read(&padded(Image::MOST_BYTES)).is_ok());
        let refused = Image::read(&padded(Image::MOST_BYTES + 1)).unwrap_err();
        assert_eq!(refused.to_string(), "the picture has 262145 bytes, but a logo can have at most 262144");
    }

    /// Every shortened or altered header is refused or read without a panic.
    #[test]
    fn altered_headers_never_give_invalid_sizes() {
        for whole in [PNG, JPEG, PROGRESSIVE, WEBP, LOSSLESS, EXTENDED, MOVING_PNG, MOVING_WEBP] {
            for end in 0..24 {
                assert!(Image::read(&whole[..end]).is_err(), "{end}");
            }
            for at in 0..whole.len().min(400) {
                for byte in [0, 1, 0x7f, 0xff] {
                    let mut altered = whole.to_vec();
                    altered[at] = byte;
                    if let Ok(Image { width, height, .. }) = Image::read(&altered) {
                        assert!((1..=4096).contains(&width) && (1..=4096).contains(&height));
                    }
                }
            }
        }
    }
}
