// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;

/**
 * The one-shot outcome of something that goes on elsewhere: a value or a failure, once.
 *
 * <p><b>Threads</b>: any thread may complete it or listen. Listeners run on the completing thread
 * (or at once, on the caller's, when it is done already), in the order in which they were added;
 * they must not wait.
 */
public final class Completion<T extends @Nullable Object> {
    private final AtomicReference<State<T>> state =
            new AtomicReference<>(new Pending<>(null, null));

    private sealed interface State<T extends @Nullable Object> permits Pending, Done {}

    /** Listeners are a stack, newest first; null listener marks the bottom. */
    private record Pending<T extends @Nullable Object>(
            @Nullable BiConsumer<? super @Nullable T, ? super @Nullable FsException> listener,
            @Nullable Pending<T> older)
            implements State<T> {}

    private record Done<T extends @Nullable Object>(
            @Nullable T value, @Nullable FsException failure) implements State<T> {}

    public static <T extends @Nullable Object> Completion<T> done(@Nullable T value) {
        Completion<T> c = new Completion<>();
        c.complete(value);
        return c;
    }

    public static <T extends @Nullable Object> Completion<T> failed(FsException failure) {
        Completion<T> c = new Completion<>();
        c.fail(failure);
        return c;
    }

    /** Ends it well. Returns false when it had ended before; then nothing changes. */
    public boolean complete(@Nullable T value) {
        return end(new Done<>(value, null));
    }

    /** Ends it badly. Returns false when it had ended before; then nothing changes. */
    public boolean fail(FsException failure) {
        return end(new Done<>(null, failure));
    }

    public boolean isDone() {
        return state.get() instanceof Done;
    }

    /** The failure of a completion that is done, or null. */
    public @Nullable FsException failure() {
        return state.get() instanceof Done<T> d ? d.failure : null;
    }

    /**
     * The value, when done.
     *
     * @throws FsException a copy of the failure
     * @throws IllegalStateException when not done
     */
    @SuppressWarnings("NullAway") // T may itself be nullable (Void)
    public T get() throws FsException {
        if (!(state.get() instanceof Done<T> d)) {
            throw new IllegalStateException("not done");
        }
        if (d.failure != null) {
            throw d.failure.copy();
        }
        return d.value;
    }

    /** Calls the listener once with the value or the failure. */
    public void whenDone(BiConsumer<? super @Nullable T, ? super @Nullable FsException> listener) {
        while (true) {
            State<T> seen = state.get();
            if (seen instanceof Done<T> d) {
                listener.accept(d.value, d.failure);
                return;
            }
            if (state.compareAndSet(seen, new Pending<>(listener, (Pending<T>) seen))) {
                return;
            }
        }
    }

    private boolean end(Done<T> done) {
        State<T> seen;
        do {
            seen = state.get();
            if (seen instanceof Done) {
                return false;
            }
        } while (!state.compareAndSet(seen, done));
        Pending<T> reversed = null;
        for (Pending<T> p = (Pending<T>) seen; p != null && p.listener != null; p = p.older) {
            reversed = new Pending<>(p.listener, reversed);
        }
        for (Pending<T> p = reversed; p != null; p = p.older) {
            if (p.listener != null) {
                p.listener.accept(done.value, done.failure);
            }
        }
        return true;
    }
}
