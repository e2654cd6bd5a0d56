// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * File names between the bytes of the operating system and of servers, and Java's strings. Linux
 * names are bytes; nearly all are UTF-8. A byte that is not part of valid UTF-8 becomes the lone
 * low surrogate U+DC00 + byte (as Python's "surrogateescape", PEP 383), so that every name comes
 * back as the bytes it was.
 */
public final class Names {
    /** The longest name that Linux takes, in bytes. */
    public static final int NAME_BYTES_MAX = 255;

    private Names() {}

    public static String decode(byte[] bytes) {
        return decode(ByteBuffer.wrap(bytes));
    }

    /** Decodes the remaining bytes and consumes them. */
    public static String decode(ByteBuffer in) {
        CharsetDecoder decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT);
        CharBuffer out = CharBuffer.allocate(in.remaining());
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (result.isUnderflow()) {
                break;
            }
            for (int i = result.length(); i > 0; i--) {
                out.put((char) (0xDC00 + (in.get() & 0xFF)));
            }
        }
        return out.flip().toString();
    }

    public static byte[] encode(String name) {
        boolean plain = true;
        for (int i = 0; i < name.length() && plain; i++) {
            plain = !Character.isSurrogate(name.charAt(i));
        }
        if (plain) {
            return name.getBytes(StandardCharsets.UTF_8);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(name.length() + 8);
        for (int i = 0; i < name.length(); ) {
            int c = name.codePointAt(i);
            i += Character.charCount(c);
            if (c >= 0xDC80 && c <= 0xDCFF) {
                out.write(c - 0xDC00);
            } else {
                out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
        }
        return out.toByteArray();
    }

    /**
     * Checks a single name that came from outside.
     *
     * @throws FsException EINVAL for an empty name, ".", "..", one with '/' or NUL; ENAMETOOLONG
     *     past {@link #NAME_BYTES_MAX}
     */
    public static void check(String name) throws FsException {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
            throw new FsException(FsError.EINVAL, "not a file name: \"" + name + "\"");
        }
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) == '/' || name.charAt(i) == 0) {
                throw new FsException(FsError.EINVAL, "a name with '/' or NUL");
            }
        }
        if (name.length() > NAME_BYTES_MAX || encode(name).length > NAME_BYTES_MAX) {
            throw new FsException(FsError.ENAMETOOLONG, name.substring(0, 40) + "...");
        }
    }
}
