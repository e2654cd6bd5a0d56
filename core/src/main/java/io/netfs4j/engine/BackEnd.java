// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What a back end throws although it must not: a failure of what it was asked for, and no more, so
 * that whatever was taken for that is given back.
 */
public final class BackEnd {
    private BackEnd() {}

    /** Logs it, and makes a failure of it. */
    public static FsException report(String what, RuntimeException thrown) {
        System.getLogger(BackEnd.class.getName())
                .log(System.Logger.Level.WARNING, what + " throws", thrown);
        return failure(what, thrown);
    }

    static FsException failure(String what, RuntimeException thrown) {
        return new FsException(FsError.EIO, what + " throws " + thrown, thrown);
    }

    public static ServerAttributes attributes(ServerFile file) throws FsException {
        try {
            return given("the attributes of a file", file.attributes());
        } catch (RuntimeException e) {
            throw report("attributes", e);
        }
    }

    /** What the server is asked to set. */
    public interface Setting {
        ServerAttributes run() throws FsException;
    }

    public static ServerAttributes set(Setting setting) throws FsException {
        try {
            return given("the attributes of a file", setting.run());
        } catch (RuntimeException e) {
            throw report("the setting of attributes", e);
        }
    }

    /** As {@link ServerFile#copyRange}, into the second of the two. */
    public static long copyRange(
            ServerFile source, long from, ServerFile target, long to, long count)
            throws FsException {
        try {
            return Math.clamp(target.copyRange(source, from, to, count), 0, count);
        } catch (RuntimeException e) {
            throw report("a copy", e);
        }
    }

    /** What a back end gives, unless it is nothing. */
    static <T> T given(String what, @Nullable T value) throws FsException {
        if (value == null) {
            throw new FsException(FsError.EIO, "the server gives nothing for " + what);
        }
        return value;
    }

    /** The stream that feeds a session; a session that cannot be fed is given up. */
    static WriteStream upload(WriteSession session) throws FsException {
        try {
            int granule = session.granuleBytes();
            if (granule < 1) {
                throw new IllegalArgumentException("a granule of " + granule + " bytes");
            }
            return new WriteStream(WriteStream.Role.UPLOAD, session, granule, session.isAtomic());
        } catch (RuntimeException e) {
            abort(session);
            throw report("a session asked for its granule", e);
        }
    }

    static void abort(WriteSession session) {
        try {
            session.abort();
        } catch (RuntimeException e) {
            report("the end of a session", e);
        }
    }

    /**
     * Where a stream leads to; what is not to be had fails whatever it is offered.
     *
     * @param onThrown hears of it
     */
    static Destination destination(
            Supplier<Destination> asked, Function<RuntimeException, FsException> onThrown) {
        try {
            return Objects.requireNonNull(asked.get(), "no stream");
        } catch (RuntimeException e) {
            return new Refusing(onThrown.apply(e));
        }
    }

    /** Ends every piece with the same failure. */
    private record Refusing(FsException why) implements Destination {
        private static final int ESTIMATE_BYTES = 1 << 20;

        @Override
        public int estimateBytes(long position) {
            return ESTIMATE_BYTES;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            offer.take(offer.length());
            offer.terminated(new Termination.Failed(why));
            return true;
        }
    }

    /** Whether a handle reads; one that throws does not. */
    public static boolean isReadable(ServerFile file) {
        try {
            return file.isReadable();
        } catch (RuntimeException e) {
            report("a handle asked whether it reads", e);
            return false;
        }
    }

    /** As {@link #isReadable}. */
    public static boolean isWritable(ServerFile file) {
        try {
            return file.isWritable();
        } catch (RuntimeException e) {
            report("a handle asked whether it writes", e);
            return false;
        }
    }

    /** Closes a handle; one that throws is gone all the same. */
    public static void close(ServerFile file) {
        try {
            file.close();
        } catch (RuntimeException e) {
            report("the closing of a handle", e);
        }
    }

    static WriteSession begin(ServerFile file, @Nullable CoherencyToken base) throws FsException {
        try {
            return given("a session", file.begin(base));
        } catch (RuntimeException e) {
            throw report("the beginning of a session", e);
        }
    }
}
