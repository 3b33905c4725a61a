//! What other tabs and the browser do to a client.

use super::{Found, PopClient};
use crate::{
    End, Status,
    lifecycle::Moment,
    link::Link,
    tabs::{News, Tabs},
    task::spawn,
};
use std::rc::Rc;

impl PopClient {
    pub(super) fn join_tabs(&self) {
        let me = Rc::downgrade(&self.0);
        let tabs = Tabs::open(move |news| {
            if let Some(inner) = me.upgrade() {
                PopClient(inner).on_news(news);
            }
        });
        self.0.tabs.replace(tabs);
    }

    pub(super) fn tell_tabs(&self, news: &News) {
        if let Some(tabs) = &*self.0.tabs.borrow() {
            tabs.tell(news);
        }
    }

    fn on_news(&self, news: News) {
        match news {
            News::Adopted(thumbprint) if self.thumbprint().as_ref() != Some(&thumbprint) => {
                let client = self.clone();
                spawn(async move {
                    client.refresh_key().await;
                });
            }
            News::Destroyed(thumbprint) if self.thumbprint().as_ref() == Some(&thumbprint) => {
                self.on_destroyed();
            }
            News::Adopted(_) | News::Destroyed(_) => {}
        }
    }

    fn on_destroyed(&self) {
        if self.0.key.take().is_some() {
            self.each_link(&|link| link.end(End::SignedOut));
            self.tell(Status::SignedOut);
        }
    }

    pub(super) fn on_moment(&self, moment: Moment) {
        match moment {
            Moment::Woken => self.each_link(&Link::on_wake),
            Moment::Cached => {
                self.each_link(&Link::on_sleep);
                self.0.tabs.take();
            }
            Moment::Uncached => {
                self.join_tabs();
                let client = self.clone();
                spawn(async move {
                    match client.read_key().await {
                        Found::Another => client.on_replaced(),
                        // Another tab has signed out: this page heard nothing of it.
                        Found::Nothing => client.on_destroyed(),
                        Found::Same => {}
                    }
                    client.each_link(&Link::on_wake);
                });
            }
        }
    }
}
